#compdef tunl
# SPDX-License-Identifier: BSD-2-Clause
# Completion of tunl's words for zsh. The build puts the tables of words in the middle.
@TABLES@

# Words with their phrases, as far as there are any.
_tunl_offer() {
	local tag=$1 word REPLY
	local -a told bare
	shift
	for word; do
		_tunl_about "$word"
		if [[ -n $REPLY ]]; then
			told+=("${word//:/\\:}:$REPLY")
		else
			bare+=("$word")
		fi
	done
	(( $#told )) && _describe -t "$tag" "$tag" told
	(( $#bare )) && compadd -- $bare
}

# What stands for the tokens of the tables.
_tunl_expand() {
	local token REPLY
	local -a words
	for token; do
		case $token in
		@any) ;;
		@tunnel) compadd -- ${(f)"$(tunl -o show 2>/dev/null | cut -d: -f1)"} ;;
		@dev) compadd -- /sys/class/net/*(N:t) ;;
		@netns) compadd -- /run/netns/*(N:t) ;;
		@lab) compadd -- /usr/local/share/tunl/labs/*.lab(N:t:r); _files -g '*.lab' ;;
		@file) _files ;;
		@verb) _tunl_list verbs; _tunl_offer commands ${=REPLY} ;;
		@options) _tunl_list options; _tunl_offer words ${=REPLY} ;;
		@modes) _tunl_list modes; compadd -- ${=REPLY} ;;
		*) words+=("$token") ;;
		esac
	done
	(( $#words )) && compadd -- $words
}

# What may stand where the cursor is, as tokens in REPLY.
_tunl_here() {
	local at=2 verb before=${words[CURRENT-1]}
	while (( at < CURRENT )) && [[ ${words[at]} == -?* ]]; do
		_tunl_takes "${words[at]}"
		(( at += 1 ))
		[[ -n $REPLY ]] && (( at += 1 ))
	done
	if (( at > CURRENT )); then
		_tunl_takes "$before"
		return
	fi
	if (( at == CURRENT )); then
		_tunl_list globals
		REPLY="@verb $REPLY"
		return
	fi
	_tunl_full "${words[at]}"
	verb=$REPLY
	if (( CURRENT > at + 1 )); then
		[[ $verb == help ]] && _tunl_next "${words[at+1]}" && return
		_tunl_next "$verb ${words[at+1]}"
		[[ -n $REPLY ]] && verb="$verb ${words[at+1]}"
		[[ $verb == (prl|6rd) && $before == dev ]] && REPLY=@tunnel && return
		_tunl_values "$before"
		[[ -n $REPLY ]] && return
	fi
	_tunl_next "$verb"
}

_tunl() {
	local REPLY
	_tunl_here
	_tunl_expand ${=REPLY}
}

_tunl "$@"
