# modules: vrf
# Instances and routes of a VRF.

enslave() { # ROUTER ADDRESS
    ip -n "$1" link add red type vrf table 100
    ip -n "$1" link set red up
    ip -n "$1" link set eth0 master red
    ip -n "$1" link set eth0 up
    # Leaving and entering a VRF takes routes, and may take addresses.
    ip -n "$1" addr replace "$2/24" dev eth0
}

config() { # PRIORITY
    echo "vrrp_instance V { interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.7.0.100/24 }
 virtual_routes { 10.30.0.0/24 via 10.7.0.9 vrf red dev eth0
 }
}"
}

route() { case $(ip -n "$1" route show table 100) in *10.30.0.0/24*) true ;; *) false ;; esac; }

# Adverts to the group, on an interface that is in a VRF.
multicast() {
    enslave a 10.7.0.1
    enslave b 10.7.0.2
    start a "$(config 150)"
    until_true has a 10.7.0.100
    until_true route a
    start b "$(config 100)"
    until_true logged b "Entering BACKUP STATE"
    holds_for 3 master a b 10.7.0.100
    ! route b || fail "a backup has no routes"
    stop a
    until_true master b a 10.7.0.100
    until_true route b
    ! route a || fail "it leaves its route behind"
}

alone() { # OWN PEER PRIORITY
    echo "vrrp_instance V { vrf red
 virtual_router_id 52
 version 3
 advert_int 0.3
 priority $3
 unicast_src_ip 10.7.0.$1
 unicast_peer { 10.7.0.$2
 }
 virtual_ipaddress { 10.7.0.100/24 dev eth0 }
}"
}

# Adverts to single routers by the routes of a VRF, without an interface. Stock's 2.2.7 wants one all the same.
without_interface() {
    enslave a 10.7.0.1
    enslave b 10.7.0.2
    start a "$(alone 1 2 150)"
    until_true has a 10.7.0.100
    start b "$(alone 2 1 100)"
    until_true logged b "Entering BACKUP STATE"
    holds_for 3 master a b 10.7.0.100
    ip -n a link set red down
    until_true logged a "Entering FAULT STATE"
    until_true master b a 10.7.0.100
    ip -n a link set red up
    until_true master a b 10.7.0.100
    stop a
    until_true master b a 10.7.0.100
}

each_pair multicast
SUBJECT=ours PEER=ours each_pair without_interface
