# limit: 240
# A network that is slow, that loses packets, that loses them all, and that loses them one way.

config() { # PRIORITY
    echo "vrrp_instance V { interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.7.0.100/24 }
}"
}

pair() {
    start a "$(config 150)"
    until_true has a 10.7.0.100
    start b "$(config 100)"
    until_true logged b "Entering BACKUP STATE"
    holds_for 2 master a b 10.7.0.100
}

# disturb PORT QDISC...: what the LAN does to packets on their way to that router.
disturb() {
    local port=$1
    shift
    ip netns exec lan tc qdisc replace dev "$port" root netem "$@"
}

slow_and_uneven() {
    pair
    disturb port1 delay 150ms 80ms
    disturb port2 delay 150ms 80ms
    holds_for 15 master a b 10.7.0.100
    disturb port2 delay 100ms 50ms loss 3% duplicate 10% reorder 20%
    holds_for 15 master a b 10.7.0.100
}

# Both are master while they cannot hear each other, and one when they can.
partition() {
    pair
    disturb port1 loss 100%
    disturb port2 loss 100%
    until_true has b 10.7.0.100
    has a 10.7.0.100 || fail "a has no reason to give it up"
    disturb port1 delay 0
    disturb port2 delay 0
    until_true master a b 10.7.0.100
    holds_for 3 master a b 10.7.0.100
}

# B hears nothing, but is heard: A insists, and B cannot know. When it can, it yields.
deaf() {
    pair
    disturb port2 loss 100%
    until_true has b 10.7.0.100
    until_true logged a "with lower priority 100"
    holds_for 2 has a 10.7.0.100
    disturb port2 delay 0
    until_true master a b 10.7.0.100
}

each_pair slow_and_uneven
each_pair partition
each_pair deaf
