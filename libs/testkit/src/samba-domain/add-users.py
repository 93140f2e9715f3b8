# add-users.py SMB.CONF: adds the users that standard input lists as JSON, [{"name", "password"}], to the domain of this file.
import json
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

settings = LoadParm()
settings.load(sys.argv[1])
domain = SamDB(url=settings.samdb_url(), session_info=system_session(), lp=settings)
for user in json.load(sys.stdin):
    domain.newuser(user["name"], user["password"])
