# Run by `unshare --net --mount --pid --fork`: gives a router of the laboratory its own root file system.
#
# Everything a daemon may write to (/etc, /run, /tmp, /usr/local, /path) is private memory, the rest is the
# host's. $1 is the daemon under test, which the router has as /usr/local/sbin/keepalived-rs. The router lives
# until its standard input closes, so it cannot outlive the process that made it, however that one ends.
set -eu
root=/mnt
mount -t tmpfs -o mode=755 router $root
for entry in /*; do
    name=${entry#/}
    case $name in etc | mnt | path | proc | run | sys | tmp | lost+found) continue ;; esac
    if [ -L "$entry" ]; then
        cp -P "$entry" $root/
    elif [ -d "$entry" ]; then
        mkdir $root/"$name"
        mount --rbind "$entry" $root/"$name"
    fi
done
mkdir $root/mnt $root/path $root/proc $root/run $root/sys $root/tmp
chmod 1777 $root/tmp
cp -a /etc $root/etc
rm -rf $root/etc/keepalived
mkdir -p $root/etc/keepalived
mount -t tmpfs -o mode=755 local $root/usr/local
mkdir $root/usr/local/bin $root/usr/local/sbin
if [ -n "$1" ]; then
    : >$root/usr/local/sbin/keepalived-rs
    mount --bind "$1" $root/usr/local/sbin/keepalived-rs
fi
mount -t proc proc $root/proc
mount -t sysfs sys $root/sys
cd $root
pivot_root . mnt
umount -l /mnt
ip link set lo up
echo ready
# As the first process of its namespace the shell inherits orphans: `wait` takes those that have ended away.
exec 3<&0
cat <&3 >/dev/null &
wait $!
