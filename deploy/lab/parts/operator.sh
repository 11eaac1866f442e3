# operator.sh - what an operator does to a web server's configuration; sourced by the fronts.
#
# Each front takes a copy of what the distribution has installed in /etc, enables in it what the
# distribution enables and the files of deploy/, and edits no more than an operator would: values at
# the head of our files, and what a private instance cannot share, which is where it listens, its
# user, and its paths for run, log and documents.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

# install_operator_files - those of deploy/ in $share, with the places of this stack, as `make
# install` does.
install_operator_files() {
    local -a places=("$share"/{apache,lighttpd,nginx})
    cp -R -- "$deploy"/{apache,lighttpd,nginx} "$share"
    chmod -R a+rX "${places[@]}"
    find "${places[@]}" -type f -exec sed -i -e "s,@sbindir@,$home/bin,g" \
        -e "s,@sysconfdir@,$home/etc,g" -e "s,@datadir@,$share,g" {} +
}

# replace FILE OLD NEW - everywhere in the file; fails if OLD is not there.
replace() {
    local text
    text=$(<"$1")
    [[ $text == *"$2"* ]] || die "$1 has no $2"
    printf '%s\n' "${text//"$2"/"$3"}" >"$1"
}

# set_line FILE TEXT LINE - the one line that has the text becomes LINE.
set_line() {
    local count
    count=$(grep -cF -- "$2" "$1") || true
    [[ $count == 1 ]] || die "$1 has $count lines with $2"
    awk -v old="$2" -v new="$3" 'index($0, old) { print new; next } { print }' "$1" >"$1.new"
    mv -- "$1.new" "$1"
}
