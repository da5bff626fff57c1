"""Coordinator and workers with tasks: the plan has dependencies, workers claim what is next, and a dead worker loses its task."""

import sys
from concurrent.futures import ThreadPoolExecutor

from small_client import SharedContext, SharedContextError


def work(session: str, name: str) -> list[str]:
    """Claims and does tasks until the plan is done. Returns the titles of what it did."""
    done = []
    with SharedContext(name, "worker") as worker:
        while True:
            # It waits up to 4 s for a task to become ready; the client's own time limit is 5 s.
            claimed = worker.call("claim_task", session_id=session, wait_seconds=4)
            task = claimed["task"]
            if task is None:
                open_tasks = worker.call("list_tasks", session_id=session, state="submitted")["count"]
                open_tasks += worker.call("list_tasks", session_id=session, state="working")["count"]
                if open_tasks == 0:
                    return done
                continue
            token = claimed["lease"]["token"]
            try:
                worker.call("complete_task", task_id=task["task_id"], lease_token=token, result={"by": name})
                done.append(task["title"])
            except SharedContextError as error:
                # Somebody else has the task: what this worker did does not count.
                if error.code != "LEASE_LOST":
                    raise


def main(workers: int = 3) -> None:
    chapters = 6
    with SharedContext("coordinator", "coordinator") as coordinator:
        session = coordinator.open_session("Summarise a book", pattern="tasks")
        # One call, all or none. The report becomes ready when every chapter is completed.
        plan = coordinator.call("create_tasks", tasks=[
            *({"ref": f"chapter-{n}", "title": f"Summarise chapter {n}", "session_id": session} for n in range(1, chapters + 1)),
            {"title": "Write the report", "session_id": session, "depends_on": [f"chapter-{n}" for n in range(1, chapters + 1)]},
        ])["tasks"]
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(lambda n: work(session, f"worker-{n}"), range(1, workers + 1)))
        titles = sorted(title for each in done for title in each)
        assert titles == sorted(task["title"] for task in plan), "each task is done once"

        history = coordinator.call("get_task", task_id=plan[-1]["task_id"])["history"]
        print(f"{len(titles)} tasks were done by {workers} workers, each once; the report went through "
              f"{', '.join(step['to'] for step in history)}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
