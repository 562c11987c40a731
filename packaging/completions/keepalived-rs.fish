complete -c keepalived-rs -s f -l use-file -d 'Configuration file' -r
complete -c keepalived-rs -s S -l log-facility -d 'Syslog facility: 0-7, local0-local7, user or daemon (the default)' -r
complete -c keepalived-rs -s u -l umask -d 'Mask for the mode of files that are made, in C notation (default 0177)' -r
complete -c keepalived-rs -s p -l pid -d 'Pid file' -r
complete -c keepalived-rs -s r -l vrrp_pid -d 'Pid file that says VRRP runs; holds the same pid' -r
complete -c keepalived-rs -s c -l checkers_pid -d 'Pid file that says the health checkers run' -r
complete -c keepalived-rs -s b -l bfd_pid -d 'Pid file that says BFD runs' -r
complete -c keepalived-rs -s A -l snmp-agent-socket -d 'Socket of the SNMP master agent' -r
complete -c keepalived-rs -s s -l namespace -d 'Run in this network namespace' -r
complete -c keepalived-rs -s M -l core-dump-pattern -d 'Allow core dumps, and set the kernel\'s core_pattern, to `core` unless given, until the daemon stops' -r
complete -c keepalived-rs -s i -l config-id -d 'Compare the id of `@id` lines with this, instead of the node name' -r
complete -c keepalived-rs -l signum -d 'Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON, HAND_OVER' -r
complete -c keepalived-rs -l config-fd -d 'Stock\'s way to hand a configuration to itself' -r
complete -c keepalived-rs -s g -l log-file -d 'Log to FILE as well (default /var/log/keepalived.log), what VRRP says to a second one with _vrrp in its name' -r
complete -c keepalived-rs -s t -l config-test -d 'Check the configuration and exit; append the findings to FILE instead of showing them on stderr' -r
complete -c keepalived-rs -l format -d 'How -t shows its findings: text, or json on stdout (see docs/JSON.md)' -r
complete -c keepalived-rs -s P -l vrrp -d 'Run VRRP without the health checkers'
complete -c keepalived-rs -s C -l check -d 'Run the health checkers without VRRP'
complete -c keepalived-rs -s B -l no_bfd -d 'Run without BFD'
complete -c keepalived-rs -l all -d 'Accepted: one process does the work, whatever is configured'
complete -c keepalived-rs -s l -l log-console -d 'Log to stderr as well (with -n)'
complete -c keepalived-rs -s D -l log-detail -d 'Log details; twice for more of them'
complete -c keepalived-rs -s G -l no-syslog -d 'Do not log to syslog'
complete -c keepalived-rs -s X -l release-vips -d 'Accepted: virtual addresses are always removed when mastership ends'
complete -c keepalived-rs -s V -l dont-release-vrrp -d 'Leave virtual addresses, routes and rules in place when the daemon stops, and do not tell the peers'
complete -c keepalived-rs -l hand-over -d 'Hand masters over to the next start, without a gap, when the daemon is told to restart (SIGRTMIN+5)'
complete -c keepalived-rs -s I -l dont-release-ipvs -d 'Leave IPVS as it is when the daemon stops'
complete -c keepalived-rs -s R -l dont-respawn -d 'Stop when a part of the daemon fails, instead of restarting the part'
complete -c keepalived-rs -s n -l dont-fork -d 'Stay in the foreground'
complete -c keepalived-rs -s d -l dump-conf -d 'Write the configuration in effect to the log of the router that starts; with -t: print it and exit'
complete -c keepalived-rs -s T -l genhash -d 'Be the genhash tool; must be the first option'
complete -c keepalived-rs -s a -l address-monitoring -d 'Log every address that comes or goes'
complete -c keepalived-rs -s x -l snmp -d 'Serve SNMP'
complete -c keepalived-rs -s m -l core-dump -d 'Allow core dumps'
complete -c keepalived-rs -s e -l all-config -d 'A configuration file that is missing or unreadable is an error'
complete -c keepalived-rs -l ignore-sigint -d 'Do not stop on SIGINT'
complete -c keepalived-rs -l flush-log-file -d 'Accepted: a line is in the log file as soon as it is written'
complete -c keepalived-rs -s h -l help -d 'Show this help'
complete -c keepalived-rs -s v -l version -d 'Show the version'
