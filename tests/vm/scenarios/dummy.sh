# limit: 240
# modules: dummy
# Addresses on a dummy interface, and an instance that tracks it.

config() { # PRIORITY WORDS
    echo "global_defs { dynamic_interfaces
}
vrrp_instance V { interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.8.0.100/32 dev dummy0 $2
 }
}"
}

pair() { # WORDS
    local r
    for r in a b; do
        ip -n $r link add dummy0 type dummy
        ip -n $r link set dummy0 up
    done
    start a "$(config 150 "$1")"
    until_true has a 10.8.0.100
    start b "$(config 100 "$1")"
    until_true logged b "Entering BACKUP STATE"
    holds_for 2 master a b 10.8.0.100
}

down_and_up() {
    pair ""
    ip -n a link set dummy0 down
    until_true logged a "Entering FAULT STATE"
    until_true has b 10.8.0.100
    ip -n a link set dummy0 up
    until_true master a b 10.8.0.100
}

deleted_and_back() {
    pair ""
    ip -n a link del dummy0
    until_true logged a "Entering FAULT STATE"
    until_true has b 10.8.0.100
    ip -n a link add dummy0 type dummy
    ip -n a link set dummy0 up
    until_true master a b 10.8.0.100
}

not_tracked() {
    pair no_track
    ip -n a link set dummy0 down
    sleep 3
    ! logged a FAULT || fail "an address that is not tracked is no reason"
    ! has b 10.8.0.100 || fail "b took over"
}

each_pair down_and_up
each_pair deleted_and_back
each_pair not_tracked
