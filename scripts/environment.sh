# Makes this checkout's own environment and enters it; sourced by scripts/run and scripts/test.
#
# .venv holds Python, ROS 2 from wheels and everything in requirements/; install/ holds this package,
# built by colcon with links to the sources. Each carries a stamp: a hash of what it was made from.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
install=$root/install
log=$root/log/environment.log
requirements=("$root"/requirements/{core,ros,dev}.txt)

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# What .venv and install/ would be made from now. The checkout's path counts: neither can be moved.
venv_hash() {
  { echo "$root"; grep -ohE '^[^ #]+' "${requirements[@]}"; } | sha256sum
}

install_hash() {
  (
    cd "$root"
    venv_hash
    cat CMakeLists.txt package.xml cmake/* msg/* interfaces/*/{CMakeLists.txt,package.xml,msg/*}
    find dads_ros config launch -name __pycache__ -prune -o -type f ! -name '.*' -print | sort
    grep -l '^def main(' dads_ros/nodes/*.py || true  # these become executables
  ) | sha256sum
}

is_current() {  # DIRECTORY HASH: made from that, by a Python that is still there
  [[ -f $1/.made-from && $(<"$1/.made-from") == "$2" && -x $venv/bin/python ]]
}

# Enough to run: python, g++, make and Python's headers. Wheels and pip bring the rest.
find_python() {
  local candidate
  for candidate in python3 python3.12 python3.11 python3.13 /usr/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
    then
      command -v "$candidate"
      return
    fi
  done
  fail 'no Python 3.11, 3.12 or 3.13 found; run: sudo apt install python3 python3-venv python3-dev'
}

check_machine() {  # PYTHON
  [[ $(uname -sm) == 'Linux x86_64' ]] || fail "the ROS 2 wheels are for Linux x86_64 and this is" \
    "$(uname -sm); install ROS 2 and use colcon build (README, 'With ROS 2 installed')"
  local version missing=()
  version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  "$1" -c 'import ensurepip, venv' 2>/dev/null || missing+=("$version-venv")
  "$1" -c 'import os, sysconfig
os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null || missing+=("$version-dev")
  command -v g++ >/dev/null || missing+=(g++)
  command -v make >/dev/null || missing+=(make)
  [[ ${#missing[@]} == 0 ]] || fail "needed to build and not here: ${missing[*]};" \
    "run: sudo apt install ${missing[*]}"
}

# Run a command with its output in the log; tell how long it takes, and the log's end if it fails.
step() {  # TEXT COMMAND...
  local text=$1 start=$SECONDS ticker='' status=0
  shift
  if [[ -t 2 ]]; then
    while sleep 1; do printf '\r%s ... %d s' "$text" $((SECONDS - start)); done >&2 &
    ticker=$!
    trap 'kill "$ticker" 2>/dev/null || true' EXIT
  else
    printf '%s ...\n' "$text" >&2
  fi
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [[ -n $ticker ]]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    trap - EXIT
    printf '\r' >&2
  fi
  if [[ $status != 0 ]]; then
    printf '%s ... failed\n' "$text" >&2
    tail -n 15 "$log" | sed 's/^/  /' >&2
    fail "the step above failed; its whole output is in ${log#"$root"/}"
  fi
  printf '%s ... %d s\n' "$text" $((SECONDS - start)) >&2
}

# Rewrite the paths of the machine that built the wheels, which their CMake exports carry.
correct_cmake_paths() {
  local include site
  include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  find "$venv/share" "$venv/lib/cmake" -name '*.cmake' -exec sed -i -E \
    -e "s#/opt/python/cp3[0-9]+-[^/]+/include/python3\.[0-9]+#$include#g" \
    -e "s#/opt/python/cp3[0-9]+-[^/]+/lib/python3\.[0-9]+/site-packages#$site#g" {} +
}

fill_venv() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
    "${requirements[@]/#/--requirement=}" || { echo failed >"$venv/.made-from"; return 1; }
  correct_cmake_paths
}

make_venv() {  # HASH
  local python state=''
  [[ -f $venv/.made-from ]] && state=$(<"$venv/.made-from")
  # Killed half-way, moved or its Python gone: start over. Otherwise pip brings it up to date.
  if [[ -z $state || $state == unfinished ]] || ! grep -qsF "$venv" "$venv/bin/activate" ||
      [[ ! -x $venv/bin/python ]]; then
    [[ -z $state && -e $venv ]] && fail '.venv is here but not of scripts/run; move it away'
    python=$(find_python) || exit
    check_machine "$python"
    rm -rf "$venv"
    mkdir "$venv"
    echo unfinished >"$venv/.made-from"
    step "[1/3] Python environment in .venv ($("$python" --version))" "$python" -m venv "$venv"
  fi
  echo unfinished >"$venv/.made-from"
  step '[2/3] packages of requirements/ (about 2 GB on disk)' fill_venv
  echo "$1" >"$venv/.made-from"
}

build() {
  local paths=(.)
  [[ -e $venv/share/vision_msgs ]] || paths+=(interfaces/vision_msgs)
  (cd "$root" && colcon build --base-paths "${paths[@]}") || return
  find "$install" -xtype l -delete  # links to sources that are gone
}

make_install() {  # HASH
  rm -f "$install/.made-from"
  enter_environment
  step '[3/3] messages and nodes in install/' build
  echo "$1" >"$install/.made-from"
}

# Make .venv and install/ where they are missing or out of date; one process at a time.
ensure_environment() {
  local for_venv for_install lock
  for_venv=$(venv_hash)
  for_install=$(install_hash)
  is_current "$venv" "$for_venv" && is_current "$install" "$for_install" && return
  exec {lock}<"$root/requirements"
  if ! flock --nonblock "$lock"; then
    echo 'waiting for another process that makes the environment ...' >&2
    flock "$lock"
  fi
  trap 'echo >&2; exit 130' INT  # pip turns Ctrl-C into an ordinary failure; .venv is half-made all the same
  mkdir -p "$root/log"
  is_current "$venv" "$for_venv" || make_venv "$for_venv"
  is_current "$install" "$for_install" || (make_install "$for_install") || exit
  trap - INT
  exec {lock}<&-
}

# The value of a path variable less what another ROS environment put there.
without_ros() {  # VARIABLE
  local entry prefix kept=() IFS=:
  for entry in ${!1-}; do
    for prefix in ${AMENT_PREFIX_PATH-} ${COLCON_PREFIX_PATH-} /opt/ros; do
      [[ $entry/ == "$prefix"/* ]] && continue 2
    done
    kept+=("$entry")
  done
  echo "${kept[*]}"
}

prepend() {  # VARIABLE PATH: put PATH before what of VARIABLE is no other ROS environment's
  local rest
  rest=$(without_ros "$1")
  export "$1=$2${rest:+:$rest}"
}

enter_environment() {
  local site
  site=$(cd "$venv/lib" && echo python3.*/site-packages)
  prepend PATH "$install/lib/dads_ros:$venv/bin"
  prepend PYTHONPATH "$install/lib/$site"
  prepend LD_LIBRARY_PATH "$install/lib"
  unset _ROS_WHEELS_BOOTSTRAP_COMPLETE PYTHONHOME COLCON_PREFIX_PATH ROS_DISTRO
  export AMENT_PREFIX_PATH=$install:$venv CMAKE_PREFIX_PATH=$install:$venv
  export VIRTUAL_ENV=$venv COLCON_DEFAULTS_FILE=$root/scripts/colcon.yaml
  # The checkout's dads_ros lacks the generated messages: `python -c` in it must not find it first.
  export PYTHONSAFEPATH=1
  export RMW_IMPLEMENTATION=rmw_fastrtps_cpp
  export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
  export FASTDDS_DEFAULT_PROFILES_FILE=${FASTDDS_DEFAULT_PROFILES_FILE:-$root/config/fastdds.xml}
}
