# Tries Python's clickhouse-connect on the SQL door of a collector that runs; by hand, since it comes from PyPI:
#
#   pip install clickhouse-connect && python3 bench/peers/clickhouse-connect.py http://127.0.0.1:8123

import sys
from urllib.parse import urlparse

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

door = urlparse(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8123")
client = clickhouse_connect.get_client(host=door.hostname, port=door.port)


def check(what, got, expected):
    assert got == expected, f"{what}: {got!r}, not {expected!r}"
    print(f"ok  {what}")


def rows(statement, **more):
    return client.query(statement, **more).result_rows


check("types", rows("SELECT 1::UInt64, [1, 2], map('a', 1), tuple(1, 'b'), NULL"), [(1, [1, 2], {"a": 1}, (1, "b"), None)])
check("parameters", rows("SELECT {x:String}, {y:Array(UInt8)}", parameters={"x": "it's", "y": [1, 2]}), [("it's", [1, 2])])
check("many rows", len(rows("SELECT number FROM numbers(300000)")), 300_000)
check("a summary", client.query("SELECT number FROM numbers(10)").summary["read_rows"], "10")
check("a setting", rows("SELECT getSetting('max_threads')", settings={"max_threads": 1}), [(1,)])
with client.query_row_block_stream("SELECT number FROM numbers(200000)") as blocks:
    check("a stream", sum(len(block) for block in blocks), 200_000)
for statement in ["DROP TABLE actions", "SELECT file('/etc/passwd')"]:
    try:
        client.command(statement)
        sys.exit(f"this ran: {statement}")
    except DatabaseError as refused:
        check(f"refused: {statement}", "ACCESS_DENIED" in str(refused), True)
