# limit: 180
# Tracked processes, by the kernel's events, which come in the initial namespaces only: what ours and stock make of them.

config="vrrp_track_process one { process sleepy
 weight 10
}
vrrp_track_process two { process sleepy
 quorum 2
 weight 20
}
vrrp_track_process few { process sleepy
 quorum 1
 quorum_max 2
 weight 30
}
vrrp_track_process words { process /tmp/sleepy /tmp/wait 7777
 weight 5
}
vrrp_track_process initial { process /tmp/sleepy /tmp/wait 77
 param_match initial
 weight 1
}
vrrp_track_process partial { process /tmp/sleepy /tmp/wait
 param_match partial
 weight 2
}
vrrp_track_process none { process sleepy
 quorum_max 0
 weight 4
}
vrrp_track_process present { process present
 weight 1
}
vrrp_track_process named { process renamed
 weight 3
}
vrrp_track_process slow { process sleepy
 terminate_delay 2
 weight -7
}
vrrp_instance V { interface p0
 virtual_router_id 51
 version 3
 priority 100
 virtual_ipaddress { 10.9.0.100/24
 }
 track_process { one
 two
 few
 words
 named
 slow
 initial
 partial
 none
 present
 }
}"

# What was said since the last call, without times and causes, sorted: trackers have no order among themselves.
said() {
    local lines
    lines=$(wc -l </tmp/p/log)
    tail -n +"$((seen + 1))" /tmp/p/log | grep -oE 'Quorum (gained|lost) for tracked process [a-z]+' | sort || true
    grep -oE 'effective priority from [0-9]+ to [0-9]+' /tmp/p/log | tail -n 1 | grep -oE '[0-9]+$' || true
    seen=$lines
}

step() { # WORDS
    # Stock reads events in lots, and one delay is 2 s.
    sleep 4
    echo "== $1"
    said
}

life() { # PROGRAM
    local daemon present first second third pid
    (exec -a anything /tmp/present /tmp/wait) & present=$!
    seen=0
    mkdir -p /tmp/p
    echo "$config" >/tmp/p/conf
    "$1" -n -l -D -f /tmp/p/conf -p /tmp/p/main -r /tmp/p/vrrp -c /tmp/p/checkers >/tmp/p/log 2>&1 &
    daemon=$!
    step "start"
    /tmp/sleepy /tmp/wait 7777 & first=$!
    step "one"
    /tmp/sleepy /tmp/wait 8888 & second=$!
    step "two"
    /tmp/sleepy /tmp/wait 8888 & third=$!
    step "three"
    (exec -a other /tmp/sleepy /tmp/wait 9999) & pid=$!
    step "four, with another word in front"
    kill "$pid" "$third"
    step "two again"
    kill -USR1 "$second"
    step "one has another name"
    kill -9 "$first"
    step "none of that name"
    kill "$second"
    step "none"
    bash -c 'exec /tmp/sleepy /tmp/wait 7777' & first=$!
    step "by way of a shell"
    /tmp/sleepy -c :
    step "for a moment"
    kill "$first"
    step "end"
    kill -9 "$present"
    step "gone that was there from the start"
    kill "$daemon"
    wait "$daemon" || true
}

# A program of that name, which waits until it is ended.
cp "$(command -v bash)" /tmp/sleepy
cp /tmp/sleepy /tmp/present
mkfifo /tmp/never
cat >/tmp/wait <<'END'
trap 'printf renamed >/proc/$$/comm' USR1
exec 3<>/tmp/never
while :; do read -r -t 0.2 -u 3 || :; done
END
ip link add p0 type veth peer name p1
ip link set p0 up
ip link set p1 up
ip addr add 10.9.0.1/24 dev p0
life /payload/bin/keepalived-rs >/tmp/ours
cp /tmp/p/log /tmp/ours.log
life keepalived >/tmp/stock
# No way to miss both: stock has seen them come and go.
grep -q "gained for tracked process named" /tmp/stock
if ! diff -u /tmp/stock /tmp/ours; then
    tail -n 60 /tmp/ours.log
    echo FAILED
    exit 1
fi
echo "ok   processes: ours as stock"
