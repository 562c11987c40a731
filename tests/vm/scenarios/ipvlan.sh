# modules: ipvlan
# Instances on ipvlans, which have an address of their own: failover in both families, and an ipvlan that somebody deletes.

config() { # NUMBER PRIORITY
    echo "vrrp_instance V4 { interface eth0
 use_ipvlan ipv4 10.7.0.1$1/24
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $2
 virtual_ipaddress { 10.7.0.100/24
 }
}
vrrp_instance V6 { interface eth0
 use_ipvlan ipv6 bridge
 virtual_router_id 52
 advert_int 0.3
 priority $2
 virtual_ipaddress { fe80::100/64
  2001:db8::100/64
 }
}"
}

# Both addresses are on the interface, not on the ipvlan.
both() {
    case $(ip -n "$1" -o addr show dev eth0) in
        *" 10.7.0.100/"*" 2001:db8::100/"*) true ;;
        *) false ;;
    esac
}
up() { case $(ip -n a -o link show ipv4 2>&1) in *",UP"*) true ;; *) false ;; esac }
without_ipvlan() { case $(ip -n "$1" -o link) in *ipv[46]*) false ;; *) true ;; esac }

ipvlan() {
    local faults
    start a "$(config 1 150)"
    until_true both a
    start b "$(config 2 100)"
    until_true logged b "(V4) Entering BACKUP STATE"
    until_true logged b "(V6) Entering BACKUP STATE"
    holds_for 3 master a b 10.7.0.100
    holds_for 3 master a b 2001:db8::100
    if [ $a_kind = ours ]; then
        faults=$(grep -c "Entering FAULT STATE" /tmp/a/log || true)
        ip -n a link del ipv4
        until_true up
        holds_for 3 master a b 10.7.0.100
        [ "$(grep -c "Entering FAULT STATE" /tmp/a/log || true)" = "$faults" ] || fail "a fault"
    fi
    stop a
    [ $a_kind = stock ] || without_ipvlan a || fail "something is left"
    until_true both b
    start a "$(config 1 150)"
    until_true both a
    until_true master a b 10.7.0.100
}
each_pair ipvlan
