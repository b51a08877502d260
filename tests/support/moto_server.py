"""AWS in small: moto's server, with what it lacks for this project's stack. Run by the Python of deploy/.venv."""

import sys

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.server import main

if __name__ == "__main__":
    # The tags of an autoscaling target, which Terraform asks for and moto does not know.
    ApplicationAutoScalingResponse.list_tags_for_resource = lambda _: '{"Tags": {}}'
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
