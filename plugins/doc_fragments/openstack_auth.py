# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How a module logs in to OpenStack."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.openstack_auth``."""

    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - Name of a cloud in C(clouds.yaml), or a dictionary with all that would stand there for it.
      - Without it O(auth) counts, and then the environment variables C(OS_*).
    type: raw
  auth:
    description:
      - What the login plugin needs, for example C(auth_url), C(username), C(password), C(project_name),
        C(user_domain_name) and C(project_domain_name), or C(application_credential_id) and
        C(application_credential_secret).
    type: dict
  auth_type:
    description:
      - The login plugin, for example V(password), V(v3applicationcredential) or V(v3token). V(password) when nothing says
        otherwise.
      - V(v3token) cannot renew its token; a run that takes longer than the token lives then fails, and goes on when it is
        started again.
    type: str
  region_name:
    description:
      - Region, where the cloud has several.
    type: str
  interface:
    description:
      - Which addresses of the services are used.
    type: str
    choices: [public, internal, admin]
    default: public
    aliases: [endpoint_type]
  validate_certs:
    description:
      - Whether certificates of the services are checked. They are when nothing says otherwise.
    type: bool
    aliases: [verify]
  ca_cert:
    description:
      - File with the certificates of authorities to trust.
    type: path
    aliases: [cacert]
  client_cert:
    description:
      - File with a client's certificate.
    type: path
    aliases: [cert]
  client_key:
    description:
      - File with the key of O(client_cert).
    type: path
    aliases: [key]
  api_timeout:
    description:
      - Seconds that a service may keep silent before a request counts as lost.
    type: int
    default: 60
requirements:
  - openstacksdk >= 4.4
notes:
  - Options that log in are named as in C(openstack.cloud), so that C(module_defaults) can serve both collections.
  - The module logs in once for all objects of a task. Requests that were refused because a service is busy, and those that
    can be repeated without harm, are sent again with growing pauses.
"""
