# limit: 300
# modules: ipvlan
# Instances with an ipvlan whose adverts leave by the interface below (vmac_xmit_base): failover, an ipvlan that somebody
# deletes or changes, and nothing left at the end.

config() { # NUMBER PRIORITY
    echo "vrrp_instance V4 { interface eth0
 use_ipvlan ipv4 10.7.0.1$1/24
 vmac_xmit_base
 virtual_router_id 51
 version 3
 advert_int 0.3
 priority $2
 virtual_ipaddress { 10.7.0.100/24
 }
}"
}

up() { case $(ip -n a -d -o link show ipv4 2>&1) in *",UP"*"mode l2 "*) true ;; *) false ;; esac; }
# This kernel renames only what is down, and the daemon brings it up again.
rename() { printf 'link set ipv4 down\nlink set ipv4 name renamed\n' | ip -n a -batch - 2>/dev/null; }
own() { case $(ip -n a -o addr show dev ipv4 2>&1) in *" 10.7.0.11/24"*) true ;; *) false ;; esac; }

ipvlan_base() {
    local faults
    start a "$(config 1 150)"
    until_true has a 10.7.0.100
    start b "$(config 2 100)"
    until_true logged b "(V4) Entering BACKUP STATE"
    holds_for 3 master a b 10.7.0.100
    if [ $a_kind = ours ]; then
        faults=$(grep -c "Entering FAULT STATE" /tmp/a/log || true)
        ip -n a link del ipv4
        until_true up
        until_true own
        ip -n a link set ipv4 type ipvlan mode l3
        until_true up
        until_true rename
        until_true own
        holds_for 2 master a b 10.7.0.100
        [ "$(grep -c "Entering FAULT STATE" /tmp/a/log || true)" = "$faults" ] || fail "a fault"
    fi
    stop a
    [ $a_kind = stock ] || case $(ip -n a -o link) in *ipv4*) fail "something is left" ;; esac
    until_true has b 10.7.0.100
    start a "$(config 1 150)"
    until_true master a b 10.7.0.100
}
each_pair ipvlan_base
