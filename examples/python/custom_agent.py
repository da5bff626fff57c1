"""A team's own agent: no framework, just the client. It reports what it may do, works, and carries on where it left off."""

from small_client import SharedContext, SharedContextError, printable


def main() -> None:
    # With the plain API key admin is not granted; asking for it is not an error, the answer says what was given.
    with SharedContext("inventory-agent", "custom", permissions=["read", "write", "admin"]) as agent:
        agent.token
        print("granted:", ", ".join(agent.granted))

        session = agent.open_session("Check the stock of the Lisbon warehouse", warehouse="lisbon")
        agent.say(session, "Counted 340 boxes of Earl Grey", metadata={"item": "earl-grey", "boxes": 340})
        agent.say(session, "Shelf 7 is damaged, moved 12 boxes to shelf 9", metadata={"shelf": 7})
        agent.say(session, "The count took longer than planned", visibility="private")

        # A typing error is forgiven.
        found = agent.search(session, "damged shelf")
        print("found:", printable(found[0]["message"]["content"]), f"({found[0]['score']})")

        runs = agent.recall("stock check runs", default=0) + 1
        agent.remember("stock check runs", runs)
        agent.remember("last shelf", {"shelf": 7, "note": ""}, session_id=session, expires_in=3600)
        print("run number", runs)

        try:
            agent.call("get_audit_log")
        except SharedContextError as error:
            print("refused:", error.code)


if __name__ == "__main__":
    main()
