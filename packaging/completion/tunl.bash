# SPDX-License-Identifier: BSD-2-Clause
# Completion of tunl's words for bash. The build puts the tables of words before it.

# What stands for a token of the tables, added to the list of the caller.
_tunl_expand() {
	local token folder=/usr/local/share/tunl/labs
	for token; do
		case $token in
		@any | '') ;;
		@tunnel) list+=($(tunl -o show 2>/dev/null | cut -d: -f1)) ;;
		@dev) list+=($(cd /sys/class/net && printf '%s\n' *)) ;;
		@netns) list+=($(cd /run/netns 2>/dev/null && printf '%s\n' *)) ;;
		@lab)
			list+=($(cd "$folder" 2>/dev/null && printf '%s\n' *.lab | sed 's/\.lab$//'))
			list+=($(compgen -f -X '!*.lab' -- "$cur"))
			;;
		@file) list+=($(compgen -f -- "$cur")) && files=1 ;;
		@verb) _tunl_list verbs && list+=($REPLY) ;;
		@options) _tunl_list options && list+=($REPLY) ;;
		@modes) _tunl_list modes && list+=($REPLY) ;;
		*) list+=("$token") ;;
		esac
	done
}

# Where the verb is: behind the options and their arguments.
_tunl_verb_at() {
	at=1
	while [[ $at -lt $COMP_CWORD && ${COMP_WORDS[at]} == -?* ]]; do
		_tunl_takes "${COMP_WORDS[at]}"
		at=$((at + 1))
		[[ $REPLY ]] && at=$((at + 1))
	done
	return 0
}

# What may stand where the cursor is, as tokens in REPLY.
_tunl_here() {
	local at verb before=${COMP_WORDS[COMP_CWORD - 1]}
	_tunl_verb_at
	if [[ $at -gt $COMP_CWORD ]]; then
		_tunl_takes "$before"
		return
	fi
	if [[ $at -eq $COMP_CWORD ]]; then
		_tunl_list globals
		REPLY="@verb $REPLY"
		return
	fi
	_tunl_full "${COMP_WORDS[at]}"
	verb=$REPLY
	if [[ $verb == help && $COMP_CWORD -gt $((at + 1)) ]]; then
		_tunl_next "${COMP_WORDS[at + 1]}"
		return
	fi
	_tunl_next "$verb ${COMP_WORDS[at + 1]}"
	if [[ $REPLY && $COMP_CWORD -gt $((at + 1)) ]]; then
		verb="$verb ${COMP_WORDS[at + 1]}"
	fi
	if [[ $COMP_CWORD -gt $((at + 1)) ]]; then
		[[ $verb == prl || $verb == 6rd ]] && [[ $before == dev ]] && REPLY=@tunnel && return
		_tunl_values "$before"
		[[ $REPLY ]] && return
	fi
	_tunl_next "$verb"
}

_tunl() {
	local cur=${COMP_WORDS[COMP_CWORD]} REPLY= files= list=() IFS=$' \t\n'
	_tunl_here
	set -f
	set -- $REPLY
	set +f
	_tunl_expand "$@"
	COMPREPLY=($(compgen -W '"${list[@]}"' -- "$cur"))
	[[ $files ]] && compopt -o filenames 2>/dev/null
	return 0
}

complete -F _tunl tunl
