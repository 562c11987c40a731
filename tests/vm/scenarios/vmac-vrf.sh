# limit: 300
# modules: vrf macvlan
# VMACs in a VRF: they are in that of their base, the addresses' routes in its table; and what is taken out is put back.

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
 use_vmac
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.7.0.100/24 }
}
vrrp_instance X { interface eth0
 use_vmac
 vmac_xmit_base
 virtual_router_id 52
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.7.0.101/24 }
}"
}

in_vrf() { case $(ip -n "$1" -o link show dev "$2" 2>&1) in *" master red "*",UP"* | *",UP"*" master red "*) true ;; *) false ;; esac; }
whole() { in_vrf $1 vrrp.51 && in_vrf $1 vrrp.52 && has $1 10.7.0.100 && has $1 10.7.0.101; }
local_route() { case $(ip -n $1 route show table 100 type local) in *10.7.0.100*) true ;; *) false ;; esac; }

vmac_vrf() {
    enslave a 10.7.0.1
    enslave b 10.7.0.2
    start a "$(config 150)"
    until_true whole a
    until_true local_route a
    start b "$(config 100)"
    until_true logged b "(V) Entering BACKUP STATE"
    until_true logged b "(X) Entering BACKUP STATE"
    holds_for 2 master a b 10.7.0.100
    holds_for 1 master a b 10.7.0.101
    # A neighbour reaches the address by way of the VMAC.
    on b ip vrf exec red ping -c 1 -W 5 10.7.0.100 >/dev/null 2>&1 || on b ping -I red -c 1 -W 5 10.7.0.100 >/dev/null ||
        fail "the address does not answer"
    if [ $a_kind = ours ]; then
        ip -n a link set vrrp.51 nomaster
        until_true whole a
        holds_for 1 master a b 10.7.0.100
        ! logged a "Entering FAULT STATE" || fail "a fault"
    fi
    stop a
    until_true whole b
    case $(ip -n a -o link) in *vrrp*) fail "it leaves a VMAC behind" ;; esac
    start a "$(config 150)"
    until_true whole a
    until_true master a b 10.7.0.100
    until_true master a b 10.7.0.101
}
each_pair vmac_vrf
