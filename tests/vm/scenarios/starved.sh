# limit: 300
# Routers that get next to no processor time, by a limit of their control group (cgroup v2): a millisecond a second, shared
# with a process that is always busy.

config() { # PRIORITY WORDS
    echo "vrrp_instance V { interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.2
 priority $1
 $2
 virtual_ipaddress { 10.7.0.100/24 }
}"
}

pair() { # WORDS
    start a "$(config 150 "$1")"
    until_true has a 10.7.0.100
    start b "$(config 100 "$1")"
    until_true logged b "Entering BACKUP STATE"
    holds_for 2 master a b 10.7.0.100
}

# starve ROUTER: its daemon, and all processes it has.
starve() {
    local pid
    busybox mount | grep -q 'cgroup2 on /sys/fs/cgroup ' || fail "no cgroup v2"
    echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p /sys/fs/cgroup/starved
    echo "1000 1000000" >/sys/fs/cgroup/starved/cpu.max
    (while :; do :; done) &
    echo $! >/tmp/busy
    echo $! >/sys/fs/cgroup/starved/cgroup.procs
    for pid in $(ip netns pids "$1"); do echo "$pid" >/sys/fs/cgroup/starved/cgroup.procs; done
}

feed() {
    kill "$(cat /tmp/busy)"
    wait "$(cat /tmp/busy)" || true
    echo "max 1000000" >/sys/fs/cgroup/starved/cpu.max
    [ "$(sed -n 's/^nr_throttled //p' /sys/fs/cgroup/starved/cpu.stat)" -ge 10 ] || fail "the limit had no effect"
}

# The adverts wait in its socket: it believes them, and not its timer.
starved_backup() {
    pair ""
    starve b
    holds_for 20 master a b 10.7.0.100
    feed
    holds_for 5 master a b 10.7.0.100
}

# It cannot keep its beat, so the other one takes over, and keeps the address: there is no preemption.
starved_master() {
    pair nopreempt
    starve a
    sleep 20
    feed
    until_true one_master
    holds_for 10 one_master
}

one_master() { master a b 10.7.0.100 || master b a 10.7.0.100; }

PEER=ours each_pair starved_backup
SUBJECT=ours each_pair starved_master
