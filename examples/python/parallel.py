"""Parallel: several agents work at the same time in one session; one of them gathers the results."""

from concurrent.futures import ThreadPoolExecutor

from small_client import SharedContext, printable

TOPICS = ["prices", "reviews", "delivery", "returns"]


def analyse(session: str, topic: str) -> int:
    with SharedContext(f"analyst-{topic}", "analyst") as agent:
        agent.say(session, f"Started on {topic}", visibility="agent_only")
        return agent.say(session, f"RESULT {topic}: looks good", metadata={"topic": topic, "kind": "result"})


def main() -> None:
    with SharedContext("moderator", "moderator") as moderator:
        session = moderator.open_session("Compare tea shops", pattern="parallel")
        with ThreadPoolExecutor(len(TOPICS)) as pool:
            written = list(pool.map(lambda topic: analyse(session, topic), TOPICS))

        # The analysts' own notes are agent_only: another type of agent does not see them.
        seen = moderator.messages(session, limit=100)
        assert sorted(m["id"] for m in seen) == sorted(written), seen
        found = moderator.search(session, "RESULT", metadata_filter={"kind": "result"}, limit=100)
        assert len(found) == len(TOPICS), found
        for result in sorted(found, key=lambda result: result["message"]["metadata"]["topic"]):
            print(printable(f"{result['message']['sender']} -> {result['message']['content']}"))
        moderator.say(session, f"All {len(found)} results are in", metadata={"kind": "summary"})


if __name__ == "__main__":
    main()
