# limit: 300
# modules: 8021q macvlan
# A VMAC on a VLAN of a trunk: its hardware address moves within the VLAN, and the VMAC outlives neither VLAN nor daemon.

config() { # PRIORITY
    echo "vrrp_instance V { interface eth0.7
 use_vmac
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.8.0.100/24 }
}"
}

make_vlan() { # ROUTER NUMBER
    ip -n $1 link add link eth0 name eth0.7 type vlan id 7
    ip -n $1 link set eth0.7 up
    ip -n $1 addr add 10.8.0.$2/24 dev eth0.7
}

# The VMAC has the address, and stands on the VLAN.
on_vlan() { case $(ip -n $1 -o addr show dev vrrp.51 2>&1) in *" 10.8.0.100/"*) true ;; *) false ;; esac &&
    case $(ip -n $1 -o link show dev vrrp.51) in *"vrrp.51@eth0.7:"*) true ;; *) false ;; esac; }
# The bridge, which does not look at VLANs, has learned the hardware address at this port.
learned() { case $(ip netns exec lan bridge fdb show br lan) in *"00:00:5e:00:01:33 dev $1 "*) true ;; *) false ;; esac; }
gone() { case $(ip -n $1 -o link) in *vrrp*) false ;; *) true ;; esac; }

vmac_vlan() {
    make_vlan a 1
    make_vlan b 2
    start a "$(config 150)"
    until_true on_vlan a
    start b "$(config 100)"
    until_true logged b "Entering BACKUP STATE"
    holds_for 2 master a b 10.8.0.100
    learned port1 || fail "the hardware address is not at the master"
    # The trunk goes, and with its carrier those of VLAN and VMAC.
    ip -n a link set eth0 down
    until_true logged a "Entering FAULT STATE"
    until_true on_vlan b
    until_true learned port2
    ip -n a link set eth0 up
    ip -n a link set eth0.7 up
    until_true master a b 10.8.0.100
    until_true learned port1
    if [ $a_kind = ours ]; then
        # The VLAN is made anew; stock wants dynamic_interfaces.
        ip -n a link del eth0.7
        until_true on_vlan b
        gone a || fail "a VMAC without base"
        make_vlan a 1
        until_true on_vlan a
        until_true master a b 10.8.0.100
    fi
    stop a
    until_true on_vlan b
    gone a || fail "it leaves its VMAC behind"
}
each_pair vmac_vlan
