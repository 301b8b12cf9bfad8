# SPDX-License-Identifier: Apache-2.0
"""The inventory plugin in real runs of Ansible: what it says, and that hostile texts in a landscape stay texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

#: Each would leave the file {proof} behind if anything evaluated it: as template, condition, shell, or YAML tag.
HOSTILE = (
    "{{{{ lookup('pipe', 'touch {proof}') }}}}",
    "{{% for x in [lookup('pipe', 'touch {proof}')] %}}{{{{ x }}}}{{% endfor %}}",
    "{{# comment #}}{{{{ lookup('ansible.builtin.pipe', 'touch {proof}') }}}}",
    "lookup('pipe', 'touch {proof}')",
    "'a' == lookup('pipe', 'touch {proof}')",
    "x'; touch {proof}; '",
    "$(touch {proof})",
    "`touch {proof}`",
    "a | lookup('pipe', 'touch {proof}')",
    "!unsafe {{{{ lookup('pipe', 'touch {proof}') }}}}",
    "\\u007b\\u007b lookup('pipe', 'touch {proof}') \\u007d\\u007d",
    "{{{{ '{{{{' }}}} lookup('pipe', 'touch {proof}') }}}}",
)
#: Which of them also stand in a description, each at a host of its own: a template, two expressions, a shell command.
DESCRIPTIONS = (0, 3, 4, 6)
#: Runs everything on this machine, without a word that could mark the variables of a host.
LOCAL = json.dumps({"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"})
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Show everything
      ansible.builtin.debug:
        var: hostvars[inventory_hostname]
    - name: Show one text
      ansible.builtin.debug:
        msg: "{{ landscape_description }} and {{ texts | join(' ') }} and {{ nested.deep }}"
    - name: Keep it as a fact
      ansible.builtin.set_fact:
        kept: "{{ landscape_description }}"
        list_kept: "{{ texts }}"
        joined: "{{ texts | join(' ') }}"
    - name: Show the fact
      ansible.builtin.debug:
        msg: "{{ kept }} {{ joined }} {{ list_kept }}"
    - name: Write it with copy
      ansible.builtin.copy:
        content: "{{ landscape_description }}"
        dest: "{{ lookup('env', 'TARGET') }}/{{ inventory_hostname }}.copy"
        mode: "0600"
    - name: Write it with a template
      ansible.builtin.template:
        src: "{{ lookup('env', 'TARGET') }}/facts.j2"
        dest: "{{ lookup('env', 'TARGET') }}/{{ inventory_hostname }}.template"
        mode: "0600"
    - name: Take it for a condition
      ansible.builtin.debug:
        msg: reached
      when: "{{ landscape_description }}"
      ignore_errors: true
    - name: Assert it
      ansible.builtin.assert:
        that: ["{{ texts[0] }}"]
      ignore_errors: true
    - name: Loop over it
      ansible.builtin.debug:
        msg: "{{ item }}"
      loop: "{{ texts }}"
    - name: Hand it to a shell the right way
      ansible.builtin.command:
        argv: [printf, "%s", "{{ landscape_description }}"]
"""


@pytest.fixture
def landscape(tmp_path):
    """Return a function that writes a landscape and a configuration of the plugin for it; the latter's path."""

    def write(hosts, **options):
        document = {
            "version": 1,
            "environments": {"prod": {}},
            "roles": {"compute": {"kind": "server", "loopback_network": "nodes"}},
            "networks": {"nodes": {"purpose": "loopback", "v4": "10.0.21.0/24"}},
            "device_models": {"m": {"kind": "server"}},
            "hosts": {
                name: {"model": "m", "role": "compute", "environment": "prod", **fields}
                for name, fields in hosts.items()
            },
        }
        (tmp_path / "data.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
        config = {"plugin": "scs.landscape.landscape", "src": ["data.yml"], "on_finding": "ignore", **options}
        source = tmp_path / "x.landscape.yml"
        source.write_text(yaml.safe_dump(config), encoding="utf-8")
        return source

    return write


def plain(value):
    """What ``ansible-inventory --list`` says, without its marks."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.accept("F1.6")
def test_hostile_texts_stay_inert_in_a_play(ansible, landscape, tmp_path):
    """Beside the landscape stands an ordinary inventory with the same text: it is executed, so the play can fail."""
    target, proof, control = (tmp_path / name for name in ("target", "proof", "control"))
    target.mkdir()
    (target / "facts.j2").write_text("{{ landscape_description }}\n{{ texts }}\n{{ nested }}\n", encoding="utf-8")
    texts = [text.format(proof=proof) for text in HOSTILE]
    hosts = {
        f"h{number}": {
            "description": texts[number],
            "vars": {"texts": texts, "nested": {"deep": texts[0], texts[0]: texts}},
        }
        for number in DESCRIPTIONS
    }
    book = tmp_path / "play.yml"
    book.write_text(PLAY, encoding="utf-8")
    source = landscape(hosts, keyed_groups=[{"key": "landscape_description", "prefix": "d"}], compose={"c": "texts[0]"})
    trusted = HOSTILE[0].format(proof=control)
    values = {"landscape_description": trusted, "texts": [trusted], "nested": {"deep": trusted}}
    ordinary = tmp_path / "ordinary.yml"
    ordinary.write_text(yaml.safe_dump({"all": {"hosts": {"control": values}}}), encoding="utf-8")
    ansible("ansible-playbook", "-i", source, "-i", ordinary, "-e", LOCAL, book, environ={"TARGET": str(target)})
    assert control.exists(), "the play does not evaluate anything"
    assert not proof.exists(), "a text of the landscape was executed"
    for number in DESCRIPTIONS:
        assert (target / f"h{number}.copy").read_text("utf-8") == texts[number]
        assert (target / f"h{number}.template").read_text("utf-8").startswith(texts[number] + "\n")


@pytest.fixture
def rendered(ansible, repo, tmp_path):
    """Return a function that renders a static OSISM inventory of a landscape; its folder."""

    def render(src):
        task = {
            "scs.landscape.landscape_render": {
                "src": [str(src)],
                "dest": str(tmp_path / "config"),
                "formats": ["osism_groups", "osism_host_vars"],
                "on_finding": "ignore",
            }
        }
        book = tmp_path / "render.yml"
        book.write_text(
            yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8"
        )
        local = json.dumps(
            {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        )
        ansible("ansible-playbook", "-i", "localhost,", "-e", local, book)
        return tmp_path / "config" / "inventory"

    return render


@pytest.mark.accept("F1.6")
def test_rendered_and_plugin_inventory_of_the_lab_are_equal(inventory, rendered, repo, tmp_path):
    source = tmp_path / "lab.landscape.yml"
    source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{repo / 'examples/scs-lab'}]\n", encoding="utf-8")
    dynamic = plain(inventory(source))
    static = plain(inventory(rendered(repo / "examples/scs-lab") / "10-landscape"))
    assert static == dynamic
    assert len(dynamic["_meta"]["hostvars"]) == 33
    assert dynamic["ceph-rgw"] == {"children": ["ceph-control"]}
    assert dynamic["rack_r01"]["hosts"][0] == "st01-comp-r01-u09"


def test_hostile_texts_stay_inert_in_a_rendered_inventory(ansible, landscape, rendered, tmp_path):
    """Read as it is, and after OSISM's reconciler: ``ansible-inventory --list --yaml`` forgets what was marked unsafe."""
    proof = tmp_path / "proof"
    texts = [text.format(proof=proof) for text in HOSTILE]
    landscape({f"h{number}": {"description": texts[number], "vars": {"texts": texts}} for number in DESCRIPTIONS})
    source = rendered(tmp_path / "data.yml") / "10-landscape"
    flat = tmp_path / "flat.yml"
    ansible("ansible-inventory", "-i", source, "--list", "--yaml", "--output", flat)
    book = tmp_path / "play.yml"
    text = "landscape_description | default('')"
    tasks = [
        {"ansible.builtin.debug": {"msg": f"{{{{ {text} }}}} {{{{ hostvars }}}}"}},
        {"ansible.builtin.set_fact": {"kept": f"{{{{ {text} }}}}"}},
        {"ansible.builtin.debug": {"var": "kept"}},
    ]
    twice = {"ansible.builtin.debug": {"msg": "x"}, "when": f"{{{{ {text} }}}}", "ignore_errors": True}
    for inventory, extra in ((source, [twice]), (flat, [])):
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks + extra}
        book.write_text(yaml.safe_dump([play]), encoding="utf-8")
        shown = ansible("ansible-playbook", "-i", inventory, "-e", LOCAL, book).stdout
        assert "touch" in shown, "texts that are no templates are kept"
        assert not proof.exists()


def test_beside_the_inventory_of_osism(ansible, repo, tmp_path):
    """As OSISM runs a custom play: the collection beside the playbooks only, five files as extra variables, two sources."""
    custom = tmp_path / "environments/custom"
    place = custom / "collections/ansible_collections/scs"
    place.mkdir(parents=True)
    (place / "landscape").symlink_to(repo)
    (tmp_path / "landscape").symlink_to(repo / "examples/scs-lab")
    (custom / "lab.landscape.yml").write_text(
        "plugin: scs.landscape.landscape\nsrc: [../../landscape]\n", encoding="utf-8"
    )
    flat = tmp_path / "hosts.yml"
    flat.write_text("all: {children: {generic: {hosts: {st01-ctl-r01-u27: {from_osism: 1}}}}}\n", encoding="utf-8")
    extra = [tmp_path / "environments" / f"{name}.yml" for name in ("configuration", "secrets")]
    extra += [custom / f"{name}.yml" for name in ("secrets", "images", "configuration")]
    for number, file in enumerate(extra):
        file.write_text(f"dummy{number}: true\n", encoding="utf-8")
    extra[-1].write_text("frr_local_as: 1\n", encoding="utf-8")
    shown = (
        "{{ from_osism }} {{ landscape_rack }} {{ landscape_asn }} {{ frr_local_as }} {{ groups['ceph-rgw'] | length }}"
    )
    task = {"ansible.builtin.debug": {"msg": shown}}
    book = custom / "playbook-lab_x.yml"
    book.write_text(
        yaml.safe_dump([{"hosts": "generic:&control", "gather_facts": False, "tasks": [task]}]), encoding="utf-8"
    )
    done = ansible(
        *("ansible-playbook", "-i", flat, "-i", custom / "lab.landscape.yml", "--limit", "st01-ctl-r01-u27"),
        *(part for file in extra for part in ("-e", f"@{file}")),
        book,
        environ={
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "empty"),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            "PYTHONPATH": "",
        },
    )
    # The last but one is the trap that docs/osism.md warns of: an extra variable beats every host variable.
    assert "1 r01 4210021012 1 3" in done.stdout


def test_what_stops_the_inventory_and_what_does_not(ansible, landscape):
    environ = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "COLUMNS": "500"}
    for on_finding, fails in (("fail", True), ("warn", False)):
        source = landscape({"h1": {"oob_network": "nowhere"}}, on_finding=on_finding)
        done = ansible("ansible-inventory", "-i", source, "--list", fails=fails, environ=environ)
        assert "nowhere" in done.stderr
        assert "Traceback" not in done.stderr
        assert fails or list(json.loads(done.stdout)["_meta"]["hostvars"]) == ["h1"]


def test_no_deprecated_call_and_no_other_warning(ansible, repo, tmp_path):
    source = tmp_path / "lab.landscape.yml"
    source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{repo / 'examples/scs-lab'}]\n", encoding="utf-8")
    environ = {"ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "ignore", "ANSIBLE_DEPRECATION_WARNINGS": "true"}
    done = ansible("ansible-inventory", "-i", source, "--list", environ=environ)
    assert "[WARNING]" not in done.stderr
    assert "DEPRECATION" not in done.stderr


def test_file_cache(ansible, landscape, tmp_path):
    """A second run reads the cache; a changed source or option does not."""
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    hostile = "{{ lookup('pipe', 'touch " + str(tmp_path / "proof") + "') }}"

    def hosts(source: Path):
        return plain(json.loads(ansible("ansible-inventory", "-i", source, "--list").stdout))["_meta"]["hostvars"]

    source = landscape({"h1": {"description": hostile}}, **cache)
    first = hosts(source)
    (entry,) = (tmp_path / "cache").iterdir()
    kept = entry.read_bytes()
    assert hosts(source) == first
    entry.write_bytes(kept.replace(b"h1", b"h9"))
    assert list(hosts(source)) == ["h9"], "the second run reads the cache"
    landscape({"h1": {"description": "longer than before " + hostile}}, **cache)
    assert list(hosts(source)) == ["h1"]
    assert not (tmp_path / "proof").exists()
