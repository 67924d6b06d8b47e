from __future__ import annotations

from mlops_jupyter.executors.environment import worker_environment


def test_a_worker_gets_the_users_variables_and_no_key_to_the_server() -> None:
    kept = {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "OMP_NUM_THREADS": "2",
        "PGPASSWORD": "ada's own",
        "AWS_SECRET_ACCESS_KEY": "ada's own",
        "TOKENIZERS_PARALLELISM": "false",
    }
    dropped = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "JPY_PARENT_PID": "7",
        "JPY_SESSION_NAME": "x.ipynb",
        "JUPYTERHUB_API_TOKEN": "t",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JUPYTER_TOKEN": "t",
        "JUPYTER_SERVER_ROOT": "/home/ada",
        "CONFIGPROXY_AUTH_TOKEN": "t",
        "GITHUB_TOKEN": "t",
        "jupyter_token": "t",
    }
    assert worker_environment(kept | dropped) == kept
