# SPDX-License-Identifier: Apache-2.0
"""Lists of digests and their signatures, as vendors publish them."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import client, digests, model

A, B = "a" * 64, "b" * 64
LISTS = {
    "gnu": f"{B}  other.img\n{A}  one.img\n",
    "binary": f"{A} *one.img\n",
    "bsd": f"SHA256 (one.img) = {A}\nSHA256 (other.img) = {B}\n",
    "folder": f"{A}  ./amd64/one.img\n",
    "alone": f"{A}\n",
    "both": f"{'d' * 128}  two.img\nMD5 (one.img) = {'0' * 32}\nSHA256 (one.img) = {A}\n",
}


@pytest.mark.parametrize("kind", [name for name in LISTS if name != "both"])
def test_the_digest_of_a_file_is_found(kind):
    assert str(digests.pick(LISTS[kind], "one.img", "S")) == f"sha256:{A}"


def test_the_strongest_of_several_counts():
    assert str(digests.pick(LISTS["both"], "one.img", "S", weak=True)) == f"sha256:{A}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no digest of one.img"),
        (f"{A}  my-one.img\n", "no digest"),
        (f"{A}  one.img\n{B}  one.img\n", "two sha256"),
    ],
)
def test_a_list_that_does_not_say_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        digests.pick(text, "one.img", "S")


def test_file_names():
    assert digests.file_name("https://x/a/b%20c.img?x=/y") == "b c.img"
    assert digests.file_name("/srv/one.img") == "one.img"


# minisign

SEED = bytes(range(32))


def signed(content: bytes, *, prehashed: bool = True, comment: str = "timestamp:1") -> tuple[str, str]:
    """A public key and a signature, made as minisign's documentation says."""
    secret, number = Ed25519PrivateKey.from_private_bytes(SEED), b"12345678"
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    public = base64.b64encode(b"Ed" + number + secret.public_key().public_bytes(*raw)).decode()
    message = hashlib.blake2b(content).digest() if prehashed else content
    first = secret.sign(message)
    kind = b"ED" if prehashed else b"Ed"
    second = secret.sign(first + comment.encode())
    lines = ["untrusted comment: x", base64.b64encode(kind + number + first).decode()]
    lines += [f"trusted comment: {comment}", base64.b64encode(second).decode()]
    return f"untrusted comment: key\n{public}\n", "\n".join(lines) + "\n"


@pytest.mark.parametrize("prehashed", [True, False])
def test_minisign(prehashed, tmp_path):
    text = LISTS["gnu"].encode()
    key, signature = signed(text, prehashed=prehashed)
    for name, data in (("S", LISTS["gnu"]), ("S.minisig", signature), ("key", key)):
        (tmp_path / name).write_text(data, encoding="utf-8")
    said = model.Signature("minisign", str(tmp_path / "key"), str(tmp_path / "S.minisig"))
    found, who = client.signed_list(model.DigestList(str(tmp_path / "S"), signature=said), 5)
    assert (found, who["comment"]) == (LISTS["gnu"], "timestamp:1")
    (tmp_path / "S").write_text(LISTS["gnu"].replace("a", "c"), encoding="utf-8")
    with pytest.raises(digests.SignatureError, match="does not fit"):
        client.signed_list(model.DigestList(str(tmp_path / "S"), signature=said), 5)


def test_a_comment_that_was_changed_is_noticed():
    key, signature = signed(b"x")
    forged = signature.replace("timestamp:1", "timestamp:2")
    parts = digests.minisign(b"x", forged, key)
    with pytest.raises(digests.SignatureError):
        client.ed25519(parts, b"x", forged, key)


def test_minisign_without_the_package_and_the_program(monkeypatch):
    monkeypatch.setattr(client, "Ed25519PublicKey", None)
    monkeypatch.setenv("PATH", "/nonexistent")
    key, signature = signed(b"x")
    with pytest.raises(LandscapeError, match="cryptography is needed for minisign"):
        client.ed25519(digests.minisign(b"x", signature, key), b"x", signature, key)


@pytest.mark.parametrize("what", ["", "x", "a\nb\nc\nd", "untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA"])
def test_what_is_no_signature_is_refused(what):
    with pytest.raises(digests.SignatureError, match="no minisign"):
        digests.minisign(b"x", what, signed(b"x")[0])


def test_another_key_is_refused():
    _key, signature = signed(b"x")
    other = base64.b64encode(b"Ed" + b"87654321" + bytes(32)).decode()
    with pytest.raises(digests.SignatureError, match="another minisign key"):
        digests.minisign(b"x", signature, other)


# GPG


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("[GNUPG:] BADSIG 1 x", "does not fit"),
        ("[GNUPG:] NO_PUBKEY 1", "not in the keyring"),
        ("[GNUPG:] GOODSIG 1 x\n[GNUPG:] REVKEYSIG 1\n[GNUPG:] VALIDSIG F", "revoked"),
        ("[GNUPG:] EXPKEYSIG 1\n[GNUPG:] VALIDSIG F", "expired"),
        ("[GNUPG:] VALIDSIG F", "no good signature"),
        ("", "no good signature"),
    ],
)
def test_signatures_that_do_not_count(status, says):
    with pytest.raises(digests.SignatureError, match=says):
        digests.gpg_verdict(status)


def test_a_good_signature_names_its_key():
    assert digests.gpg_verdict("[GNUPG:] GOODSIG 1 x\n[GNUPG:] VALIDSIG FINGER 2026-01-01") == "FINGER"


@pytest.fixture(scope="module")
def gnupg(tmp_path_factory):
    """A key of a vendor's, made by the real program."""
    if not shutil.which("gpg") or not shutil.which("gpgv"):
        pytest.skip("the programs gpg and gpgv are not installed on this machine")
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)

    def run(*argv: str, text: bytes = b"") -> bytes:
        common = [
            "gpg",
            "--homedir",
            str(home),
            "--batch",
            "--no-tty",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        return subprocess.run([*common, *argv], input=text, check=True, capture_output=True, timeout=120).stdout

    run("--quick-generate-key", "vendor@example.org", "ed25519", "sign", "never")
    yield run
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=60)


@pytest.mark.parametrize("armoured", [True, False])
def test_gpg_with_a_signature_beside_the_list(gnupg, tmp_path, armoured):
    text = LISTS["gnu"].encode()
    (tmp_path / "key").write_bytes(gnupg("--export", *(["--armor"] if armoured else [])))
    detached = gnupg("--detach-sign", text=text)
    found, fingerprint = client.gpg(text, detached, str(tmp_path / "key"))
    assert (found, len(fingerprint)) == (text, 40)
    with pytest.raises(digests.SignatureError, match="does not fit"):
        client.gpg(text.replace(b"a", b"c"), detached, str(tmp_path / "key"))


def test_only_what_lies_inside_a_signed_list_counts(gnupg, tmp_path):
    (tmp_path / "key").write_bytes(gnupg("--export"))
    whole = gnupg("--clearsign", text=LISTS["gnu"].encode())
    forged = f"{'f' * 64}  one.img\n\n".encode() + whole
    found, _fingerprint = client.gpg(forged, None, str(tmp_path / "key"))
    assert str(digests.pick(found.decode(), "one.img", "S")) == f"sha256:{A}"


def test_a_key_that_is_not_in_the_keyring_does_not_count(gnupg, tmp_path):
    (tmp_path / "key").write_bytes(b"")
    with pytest.raises(digests.SignatureError):
        client.gpg(b"x", gnupg("--detach-sign", text=b"x"), str(tmp_path / "key"))


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n-----END PGP PUBLIC KEY BLOCK-----\n"]
)
def test_damaged_keys_are_refused(text):
    with pytest.raises(digests.SignatureError):
        digests.dearmored(text)
