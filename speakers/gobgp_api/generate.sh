#!/bin/sh
# Python from the .proto files beside this script: sh generate.sh, in an environment with grpcio-tools.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m grpc_tools.protoc -I . --python_out=. gobgp.proto attribute.proto capability.proto
# protoc imports its own modules as if they were on sys.path.
sed -i -E 's/^import ((gobgp|attribute|capability)_pb2) as/from bgpsim.speakers.gobgp_api import \1 as/' ./*_pb2.py
