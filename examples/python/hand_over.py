"""Handing over and asking: a message has an addressee, the sender sees that it arrived, and a question waits for its answer."""

from concurrent.futures import ThreadPoolExecutor

from small_client import SharedContext


def review(rounds: int) -> None:
    """The reviewer: takes what lies in its inbox, acknowledges it, and answers."""
    with SharedContext("reviewer", "reviewer") as reviewer:
        while rounds > 0:
            for message in reviewer.call("wait_for_inbox", timeout_seconds=4)["messages"]:
                reviewer.call("ack_messages", message_ids=[message["id"]], note="on it")
                commit = message.get("payload", {}).get("commit")
                answer = f"{commit} is good" if commit else "main"
                reviewer.say(message["session_id"], answer, parent_message_id=message["id"])
                rounds -= 1


def main() -> None:
    with SharedContext("author", "author") as author, ThreadPoolExecutor(1) as pool:
        reviewing = pool.submit(review, rounds=2)
        session = author.open_session("Ship the release")
        sent = author.call("add_message", session_id=session, to=["reviewer"], content="Please review", payload={"commit": "4f0d811"})

        # A question of two agents alone: without session_id nobody else sees it.
        asked = author.call("ask", to="reviewer", content="Which branch do we ship?", timeout_seconds=4)
        while asked["reply"] is None:
            asked = {**asked, **author.call("wait_for_reply", message_id=asked["message_id"], timeout_seconds=4)}
        print(f"answer: {asked['reply']['content']}")

        reviewing.result()
        receipt = author.call("get_receipts", message_id=sent["message_id"])["receipts"][0]
        # delivered_at follows within two seconds of the delivery.
        assert receipt["acked_at"] and receipt["reply_ids"], receipt
        print(f"{receipt['agent_id']} got it, said “{receipt['note']}”, and answered")


if __name__ == "__main__":
    main()
