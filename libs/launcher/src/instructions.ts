// What a person who has just started postern wants to know.
import { FILES } from "./state/layout.ts";

export interface Access {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly directory: string;
    readonly addresses: readonly string[];
}

const SSTP_PORT = 443;

export function instructions({ host, port, user, password, directory, addresses }: Access): string {
    const server = port === SSTP_PORT ? host : `${host}:${port}`;
    const ca = `${directory}/${FILES.ca.certificate}`;
    const [address] = addresses;
    const hint =
        address === undefined || address === host
            ? ""
            : `\n  Clients must find ${host}: where DNS does not know it, put "${address} ${host}" into their hosts file.\n`;
    return `
postern is ready.

  server    ${server}
  user      ${user}
  password  ${password}
  CA        ${ca}
${hint}
  Windows, PowerShell as administrator, with ca.pem copied into the current directory:

    Import-Certificate -FilePath .\\ca.pem -CertStoreLocation Cert:\\LocalMachine\\Root
    Add-VpnConnection -Name postern -ServerAddress ${server} -TunnelType Sstp -AuthenticationMethod MSChapv2 -RememberCredential
    rasdial postern ${user} *

  Linux, sstp-client as root:

    sstpc --ca-cert ${ca} --log-stderr --user ${user} --password '${password}' ${server} \\
      usepeerdns require-mschap-v2 noauth noipdefault nodefaultroute

  bin/postern sessions | workers | events | user add NAME | ... (bin/postern --help)
  Stop with Ctrl-C.
`;
}
