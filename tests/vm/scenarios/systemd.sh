# machine: systemd
# package: yes
# limit: 240
# virtual-time: no
# The package, and keepalived-rs in keepalived's place: stock runs with a configuration, then `systemctl start
# keepalived-rs` takes over on the same file; reload, restart, stop, removal.

address=10.0.0.100
has_address() { case $(ip -o addr show eth0) in *" $address/"*) true ;; *) false ;; esac; }
says() { case $(journalctl -u "$1" --no-pager) in *"$2"*) true ;; *) false ;; esac; }
active() { systemctl is-active --quiet "$1"; }

timeout 20 systemctl is-system-running --wait >/dev/null || true
ip link add eth0 type veth peer name peer0
ip link set peer0 up
ip addr add 10.0.0.1/24 dev eth0
ip link set eth0 up
cat >/etc/keepalived/keepalived.conf <<CONF
global_defs {
    router_id lab
}
vrrp_script check {
    script "/usr/bin/test -d /"
    interval 1
}
vrrp_instance V {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    track_script {
        check
    }
    virtual_ipaddress {
        $address/24
    }
}
CONF
systemctl start keepalived
until_true has_address
before=$(find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var -o -path /payload -o -path /out \) -prune -o -print | sort)

dpkg -i /payload/bin/*.deb >/dev/null
active keepalived || fail "installing it has stopped keepalived"
! active keepalived-rs || fail "installing it has started it"
man=$(zcat /usr/share/man/man8/keepalived-rs.8.gz)
case $man in *VRRP*) ;; *) fail "no manual page" ;; esac

systemctl start keepalived-rs
active keepalived-rs || fail "it does not run: $(journalctl -u keepalived-rs --no-pager)"
! active keepalived || fail "both run"
until_true has_address
until_true says keepalived-rs "(V) Entering MASTER STATE"
echo "ok   in keepalived's place"
case $(journalctl -u keepalived-rs -o json --no-pager) in
    *'"VRRP_STATE":"MASTER"'*) echo "ok   fields in the journal" ;;
    *) fail "no field for the state: $(journalctl -u keepalived-rs -o json --no-pager | tail -3)" ;;
esac

pid=$(systemctl show -P MainPID keepalived-rs)
sed -i 's/priority 100/priority 120/' /etc/keepalived/keepalived.conf
systemctl reload keepalived-rs
has_address || fail "the reload cost the address"
until_true says keepalived-rs "Reload complete"
[ "$(systemctl show -P MainPID keepalived-rs)" = "$pid" ] || fail "a reload is no restart"
active keepalived-rs || fail "not active after the reload"
echo "ok   reload"

systemctl restart keepalived-rs
until_true has_address
until_true says keepalived-rs "(V) sent 0 priority"
echo "ok   restart"

echo 'DAEMON_ARGS="--hand-over"' >/etc/default/keepalived-rs
systemctl restart keepalived-rs
until_true has_address
ip -o monitor address >/tmp/moves &
monitor=$!
for round in 1 2 3; do
    pid=$(systemctl show -P MainPID keepalived-rs)
    systemctl restart keepalived-rs
    [ "$(systemctl show -P MainPID keepalived-rs)" != "$pid" ] || fail "it was not restarted"
    has_address || fail "restart $round cost the address"
    until_true says keepalived-rs "(V) Entering MASTER STATE (handed over by the process before this one)"
done
sleep 3
has_address || fail "it was given up later"
kill "$monitor"
case $(cat /tmp/moves) in *Deleted*"$address/"*) fail "the address was away: $(cat /tmp/moves)" ;; esac
case $(cat /tmp/moves) in *"$address/"*dynamic*) ;; *) fail "it was not handed over: $(cat /tmp/moves)" ;; esac
systemctl stop keepalived-rs
! has_address || fail "a stop is no restart"
rm /tmp/moves
systemctl start keepalived-rs
until_true has_address
echo "ok   restart without a gap"

kill -KILL "$(systemctl show -P MainPID keepalived-rs)"
until_true active keepalived-rs
until_true has_address
echo "ok   killed and started again"

mkdir -p /etc/systemd/system/keepalived-rs.service.d
printf '[Service]\nWatchdogSec=4\nTimeoutAbortSec=1\n' >/etc/systemd/system/keepalived-rs.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart keepalived-rs
pid=$(systemctl show -P MainPID keepalived-rs)
sleep 9
[ "$(systemctl show -P MainPID keepalived-rs)" = "$pid" ] || fail "the watchdog bites who is well"
kill -STOP "$pid"
replaced() { [ "$(systemctl show -P MainPID keepalived-rs)" != "$pid" ] && active keepalived-rs; }
until_true replaced
until_true has_address
rm -r /etc/systemd/system/keepalived-rs.service.d
systemctl daemon-reload
echo "ok   the watchdog"

systemctl stop keepalived-rs
! has_address || fail "the stop left the address"
systemctl start keepalived
until_true has_address
echo "ok   and back"

systemctl enable --quiet keepalived-rs
dpkg --purge keepalived-rs >/dev/null
active keepalived || fail "purging it has stopped keepalived"
after=$(find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var -o -path /payload -o -path /out \) -prune -o -print | sort)
left=$(diff <(echo "$before") <(echo "$after") || true)
[ -z "$left" ] || fail "purging it leaves: $left"
echo "ok   purged"
