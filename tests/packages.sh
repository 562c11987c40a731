# For scripts to source: Debian packages that are missing, and their installation.

missing_packages=()

# need PROGRAM PACKAGE: notes the package if there is no such program.
need() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing_packages+=("$2")
}

# need_to_build: notes what a build needs besides Rust.
need_to_build() {
    need cc build-essential
    need pkg-config pkg-config
    pkg-config --exists 'openssl >= 3' 2>/dev/null || missing_packages+=(libssl-dev)
}

# install_missing: installs what was noted, saying so. Services among it are not started.
install_missing() {
    [ ${#missing_packages[@]} -gt 0 ] || return 0
    local guard=/usr/sbin/policy-rc.d as_root=()
    [ "$EUID" = 0 ] || as_root=(sudo)
    echo "Installing ${missing_packages[*]} (apt-get) ..."
    if [ -e $guard ]; then
        guard=
    else
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin $guard
        # Also when apt-get fails: left behind, it would keep services from starting for ever.
        # shellcheck disable=SC2064
        trap "${as_root[*]} rm -f $guard" EXIT
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing_packages[@]}" >/dev/null
    [ -z "$guard" ] || { "${as_root[@]}" rm -f $guard; trap - EXIT; }
}
