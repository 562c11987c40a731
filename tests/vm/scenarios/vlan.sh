# modules: 8021q
# An instance on a VLAN of a trunk: failover, and what becomes of it when the trunk goes.

config() { # PRIORITY
    echo "vrrp_instance V { interface eth0.7
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $1
 virtual_ipaddress { 10.8.0.100/24 }
}"
}

vlan() {
    local n=0 r
    for r in a b; do
        n=$((n + 1))
        ip -n $r link add link eth0 name eth0.7 type vlan id 7
        ip -n $r link set eth0.7 up
        ip -n $r addr add 10.8.0.$n/24 dev eth0.7
    done
    start a "$(config 150)"
    until_true has a 10.8.0.100
    start b "$(config 100)"
    until_true logged b "Entering BACKUP STATE"
    holds_for 3 master a b 10.8.0.100
    ip -n a link set eth0 down
    until_true logged a "Entering FAULT STATE"
    until_true has b 10.8.0.100
    ip -n a link set eth0 up
    ip -n a link set eth0.7 up
    until_true master a b 10.8.0.100
    stop a
    until_true master b a 10.8.0.100
}
each_pair vlan
