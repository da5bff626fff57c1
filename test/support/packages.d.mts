export function bundlePackages(): Promise<void>
