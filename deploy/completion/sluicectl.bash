# Completion of sluicectl for bash. The tool's own help says which commands and options there are.
# shellcheck shell=bash

# _sluicectl_commands - the commands, one a line.
_sluicectl_commands() {
    sluicectl --help 2>/dev/null | sed -nE '/^commands:/,/^$/s/^  ([a-z][a-z-]*( [a-z][a-z-]*)?)( .*)?$/\1/p'
}

_sluicectl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word
    local -a words=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || words+=("$word")
    done
    COMPREPLY=()
    case $previous in
    --config | --template | --payload | --file | --try)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --directory)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --role) word='owner admin editor viewer' ;;
    --endpoint) word='signal_staging product_orgs' ;;
    --scope) word='read keys rejects organization' ;;
    --overages) word='on off' ;;
    --allow) word=all ;;
    --currency) word='USD EUR GBP CHF JPY' ;;
    --window) word='24h 7d 30d' ;;
    --expired) word='drop detach' ;;
    --format) word='ndjson csv' ;;
    --state) word='open replayed discarded' ;;
    --status)
        word='pending processing completed failed skipped permanently_failed cold_storage'
        [[ ${words[0]-} != product-org ]] || word=${word% cold_storage}
        [[ ${words[0]-} != key ]] || word='active expired deactivated'
        [[ ${words[0]-} != token ]] || word='active expired revoked'
        ;;
    *)
        if [[ $current == -* ]]; then
            word=$(sluicectl "${words[@]:0:2}" --help 2>/dev/null | sed -nE 's/^  (--[a-z-]+).*/\1/p')
            word+=' --config --json --help'
        elif ((${#words[@]} == 0)); then
            word=$(_sluicectl_commands | cut -d' ' -f1)
        else
            word=$(_sluicectl_commands | sed -n "s/^${words[0]} //p")
            ((${#words[@]} == 1)) || word=''
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current" | LC_ALL=C sort -u)
}

complete -F _sluicectl sluicectl
