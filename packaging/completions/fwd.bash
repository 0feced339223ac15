# fwd completion for bash: source <(fwd completion bash), or as completions/fwd of bash-completion.
_fwd() {
    # bash takes words apart at ':' and '=', which names of contexts may have: the line is read anew.
    local line=${COMP_LINE:0:COMP_POINT} typed='' cut
    local -a words=() found=()
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] || typed=${words[-1]}
    [[ -n $typed ]] || words+=('')
    mapfile -t found < <(command "${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
    if [[ ${found[0]-} == :files ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$typed")
        return
    fi
    # What stands in front of the last break is on the line already.
    cut=${typed%"${typed##*["$COMP_WORDBREAKS"]}"}
    COMPREPLY=("${found[@]#"$cut"}")
    [[ ${#found[@]} -eq 1 && ${found[0]} == */ ]] && compopt -o nospace
}
complete -F _fwd fwd
