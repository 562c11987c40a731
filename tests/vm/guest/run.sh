#!/bin/bash
# Runs in the virtual machine: the scenario, with what it may use.
set -euo pipefail
cd "$(dirname "$0")"
. ./pair
. ./lib.sh
. ./scenario.sh
