"""Sequential: each agent waits for the one before it, reads what that one wrote, and answers it."""

from small_client import SharedContext, printable

STAGES = ["researcher", "writer", "editor"]


def work(stage: str, given: str | None) -> str:
    """Where a model would be asked."""
    return {
        "researcher": "Facts: bees sleep; they hold each other's legs.",
        "writer": f"Draft based on: {given}",
        "editor": f"Final text of: {given}",
    }[stage]


def main() -> None:
    agents = {stage: SharedContext(stage, "pipeline") for stage in STAGES}
    session = agents["researcher"].open_session("A short text about bees", pattern="sequential")

    for previous, stage in zip([None, *STAGES], STAGES):
        agent = agents[stage]
        given = None
        if previous is not None:
            # In real life each agent is a process of its own; all it needs is the session, and whom to wait for.
            given = next(m for m in agent.follow(session, for_seconds=10) if m["sender"] == previous)
        agent.say(
            session,
            work(stage, given["content"] if given else None),
            parent_message_id=given["id"] if given else None,
            metadata={"stage": stage},
        )

    for message in agents["editor"].messages(session, order="asc"):
        print(printable(f"{message['sender']}: {message['content']}"))
    for agent in agents.values():
        agent.close()


if __name__ == "__main__":
    main()
