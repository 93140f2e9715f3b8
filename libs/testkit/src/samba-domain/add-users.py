# add-users.py SMB.CONF: adds users and groups to the domain of this file.  Standard input, JSON: {"users": [{"name", "password", "state"}],
# "groups": [{"name", "members"}]}; members are users or groups that come before.
import json
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

settings = LoadParm()
settings.load(sys.argv[1])
domain = SamDB(url=settings.samdb_url(), session_info=system_session(), lp=settings)


def change(name, attribute, line):
    """Replaces an attribute by what the line says, in LDIF."""
    dn = domain.search(expression=f"(sAMAccountName={name})", attrs=[])[0].dn
    domain.modify_ldif(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{line}\n")


asked = json.load(sys.stdin)
for user in asked["users"]:
    name, state = user["name"], user.get("state")
    domain.newuser(name, user["password"], force_password_change_at_next_login_req=state == "must-change")
    if state == "disabled":
        domain.disable_account(f"(sAMAccountName={name})")
    if state == "expired":
        # 100 ns since 1601: a day of 2001.
        change(name, "accountExpires", "accountExpires: 126227808000000000")
    if state == "no-hours":
        # 168 bits, an hour each, none of them set, in base64.
        change(name, "logonHours", "logonHours:: " + "A" * 28)
for group in asked["groups"]:
    domain.newgroup(group["name"])
    domain.add_remove_group_members(group["name"], group["members"], add_members_operation=True)
