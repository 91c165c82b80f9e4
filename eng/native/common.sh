# Sourced by the scripts beside it: what starting one private server has in common.

name=${0##*/}

fail() {
    echo "$name: $*" >&2
    exit 1
}

# Succeeds when something on this machine listens on loopback port $1.
listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

require_port() {
    [[ $2 =~ ^[0-9]+$ ]] && ((10#$2 > 0 && 10#$2 < 65536)) || fail "$1 takes a port from 1 to 65535, not '$2'."
    ! listening "$2" || fail "port $2 on 127.0.0.1 is in use; stop what listens there or choose another with $1."
}

require_value() {
    (($# > 1)) || fail "$1 takes a value; see $name --help."
}

# Makes folder $1 and prints its absolute path.
make_folder() {
    mkdir -p "$1" || fail "cannot create the folder $1."
    (cd "$1" && pwd -P)
}
