/** Longer than any address; with TRUST_PROXY a client may have written what stands there. */
const ADDRESS_MAX = 100

/**
 * What a client has of the network, for counting: an IPv4 address, or an IPv6 network of 64 bits, in which every host
 * may take as many addresses as it likes.
 */
export function networkOf(address: string): string {
  const given = address.slice(0, ADDRESS_MAX)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(given)
  if (mapped !== null) return mapped[1] as string
  if (!given.includes(':')) return given
  const [head = '', tail] = (given.split('%', 1)[0] as string).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups(head).length - groups(tail).length)
  const all = [...groups(head), ...new Array<string>(zeros).fill('0'), ...groups(tail ?? '')]
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
