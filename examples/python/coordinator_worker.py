"""Coordinator and workers: tasks are handed out as messages, and each worker finds its own by searching for its name."""

import sys
from concurrent.futures import ThreadPoolExecutor

from small_client import SharedContext


def work(session: str, name: str) -> str:
    with SharedContext(name, "worker") as worker:
        # Identifiers must match as given: worker-1 does not find the task of worker-10.
        assignments = worker.search(session, f"TASK ASSIGNMENT: {name}", limit=100)
        assert len(assignments) == 1, [result["message"]["content"] for result in assignments]
        message = assignments[0]["message"]
        task = message["metadata"]["task"]
        worker.say(session, f"Acknowledged: {task}", parent_message_id=message["id"])
        worker.say(session, f"COMPLETED: {task}", parent_message_id=message["id"], metadata={"task": task, "status": "completed"})
        return task


def main(workers: int = 3) -> None:
    names = [f"worker-{n}" for n in range(1, workers + 1)]
    with SharedContext("coordinator", "coordinator") as coordinator:
        session = coordinator.open_session("Summarise a book", pattern="coordinator-worker")
        # All assignments or none: no worker starts on half a plan.
        coordinator.call("add_messages", session_id=session, messages=[
            {"content": f"TASK ASSIGNMENT: {name} -> summarise chapter {n}", "metadata": {"worker": name, "task": f"chapter {n}"}}
            for n, name in enumerate(names, 1)
        ])
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda name: work(session, name), names))
        assert done == [f"chapter {n}" for n in range(1, workers + 1)], done

        completed = coordinator.search(session, "COMPLETED:", limit=100)
        completed = [result["message"] for result in completed if result["message"]["content"].startswith("COMPLETED:")]
        assert len(completed) == workers, completed
        coordinator.remember("progress", {"done": len(completed), "of": workers}, session_id=session)
        print(f"{len(completed)} of {workers} chapters are summarised")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
