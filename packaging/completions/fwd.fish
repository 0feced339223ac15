# fwd completion for fish: fwd completion fish | source, or as fwd.fish in a folder of completions.
function __fwd_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l found (command $words[1] __complete $words[2..-1] "$typed" 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path "$typed"
    else
        printf '%s\n' $found
    end
end
complete -c fwd -f -a '(__fwd_complete)'
