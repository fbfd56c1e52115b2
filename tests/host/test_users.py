from pathlib import Path

from trueup.host.users import Users, parse_users


def test_the_first_name_of_a_number_counts(tmp_path: Path) -> None:
    passwd = "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:\nredis:x:109:117::/:/x\nbroken\n+::::::\n"
    assert parse_users(passwd) == {0: "root", 109: "redis"}
    path = tmp_path / "passwd"
    users = Users(str(path))
    assert users.name(109) == "109"  # no file, no name
    path.write_text(passwd)
    assert (users.name(109), users.name(4242)) == ("redis", "4242")
