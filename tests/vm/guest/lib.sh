# What scenarios share: routers on a LAN, daemons, waiting. Sourced in the virtual machine.

# The pair that runs, set by each_pair: `ours` or `stock`.
a_kind= b_kind=

# each_pair FUNCTION: calls it for the pairs ours-ours, ours-stock and stock-ours, or the one that was asked for, each
# with routers `a` and `b` of its own.
each_pair() {
    local pair
    for pair in "ours ours" "ours stock" "stock ours" "stock stock"; do
        read -r a_kind b_kind <<<"$pair"
        if [ -n "$SUBJECT$PEER" ]; then
            [ "${SUBJECT:-$a_kind}" = "$a_kind" ] && [ "${PEER:-$b_kind}" = "$b_kind" ] || continue
        elif [ "$pair" = "stock stock" ]; then
            continue
        fi
        new_lan
        "$1"
        end_lan
        echo "ok   $1: $a_kind, $b_kind"
    done
}

# Two routers, network namespaces a and b, whose eth0 are joined by a bridge in the namespace `lan`.
new_lan() {
    local n
    ip netns add lan
    ip -n lan link add lan type bridge mcast_snooping 0
    ip -n lan link set lan up
    n=0
    for r in a b; do
        n=$((n + 1))
        ip netns add $r
        ip -n $r link set lo up
        ip -n lan link add port$n type veth peer name eth0 address 02:00:00:00:00:0$n netns $r
        ip -n lan link set port$n master lan up
        ip -n $r link set eth0 up
        ip -n $r addr add 10.7.0.$n/24 dev eth0
    done
}

end_lan() {
    local r
    for r in a b; do
        stop $r
        ip netns del $r
    done
    ip netns del lan
}

# on ROUTER COMMAND...: runs it there.
on() {
    local r=$1
    shift
    ip netns exec "$r" "$@"
}

# start ROUTER CONFIGURATION: the daemon of that router's kind.
start() {
    local r=$1 kind=${1}_kind program
    mkdir -p "/tmp/$r"
    printf "%s\n" "$2" >"/tmp/$r/conf"
    case ${!kind} in
        ours) program=/payload/bin/keepalived-rs ;;
        stock) program=keepalived ;;
        *) fail "what is ${!kind}?" ;;
    esac
    ip netns exec "$r" "$program" -n -l -D -G -f "/tmp/$r/conf" -p "/tmp/$r/main" -r "/tmp/$r/vrrp" -c "/tmp/$r/checkers" \
        >"/tmp/$r/log" 2>&1 &
    echo $! >"/tmp/$r/pid"
}

# stop ROUTER: as systemd would; does nothing when it does not run.
stop() {
    local pid
    [ -f "/tmp/$1/pid" ] || return 0
    pid=$(cat "/tmp/$1/pid")
    rm "/tmp/$1/pid"
    kill "$pid"
    wait "$pid" || true
}

# has ROUTER ADDRESS: whether it is on one of its interfaces. (Not through a pipe: see pipefail.)
has() {
    case $(ip -n "$1" -o addr) in *" $2/"*) true ;; *) false ;; esac
}

# logged ROUTER TEXT
logged() {
    case $(cat "/tmp/$1/log") in *"$2"*) true ;; *) false ;; esac
}

# until_true COMMAND...: waits until it succeeds; fails after 30 s.
until_true() {
    local n
    for n in $(seq 300); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "gave up waiting: $*"
}

# holds_for SECONDS COMMAND...: it is true all that time.
holds_for() {
    local n times=$(($1 * 10))
    shift
    for n in $(seq "$times"); do
        "$@" || fail "no longer: $*"
        sleep 0.1
    done
}

# master ROUTER OTHER ADDRESS: the one has it, and the other has not.
master() { has "$1" "$3" && ! has "$2" "$3"; }

fail() {
    local r
    echo "FAILED ($a_kind, $b_kind): $*"
    for r in a b; do
        [ ! -f "/tmp/$r/log" ] || { echo "--- $r"; tail -n 40 "/tmp/$r/log"; ip -n $r -br addr; }
    done
    exit 1
}
