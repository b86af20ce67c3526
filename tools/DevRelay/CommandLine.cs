using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.DevRelay;

/// <summary>Turns the command line into options.</summary>
internal static class CommandLine
{
    public const string Usage = """
        DevRelay: a relay for development and tests. Production uses the stock Nexus relay.

          --secret-file FILE      the secret that signs the backends' tokens (required; a final line end is not part of it)
          --hub ADDRESS:PORT      where backends dial in (default 127.0.0.1:0; port 0 picks one)
          --hub-host NAME         the host in the printed hub URL (default the address)
          --cert FILE --key FILE  PEM certificate (and issuers) and key of the hub; without them the hub serves plain ws
          --public ADDRESS:PORT[=ADVERTISED]
                                  a public port; backends are told ADVERTISED, by default PORT. May be repeated
          --control ADDRESS:PORT  control port on loopback: GET /sessions, GET /metrics,
                                  GET /healthz, POST /faults
          --idle-timeout SECONDS  cut users without traffic (default 0: never)
          --tcp-claims PORT,...   ports that tokens may claim
          --fixed-pools           an empty name does not hide a wildcard (the stock relay lets it)
          --transcript FILE       record every message of every session in FILE, as JSON lines without payloads and tokens
          --verbose               log every stream
          --help                  this text

        When all ports are bound it prints one line of JSON: hub, public, control. SIGTERM or SIGINT stops it.
        """;

    /// <exception cref="ArgumentException">An option is unknown, has no value or a bad one, or is missing.</exception>
    public static RelayOptions Parse(IReadOnlyList<string> args, out bool verbose)
    {
        var options = new RelayOptions { Secret = "" };
        string? certificate = null, key = null;
        verbose = false;
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            string Value() => ++i < args.Count ? args[i] : throw new ArgumentException($"{name} needs a value.");
            switch (name)
            {
                case "--secret-file":
                    options.Secret = File.ReadAllText(Value()).TrimEnd('\r', '\n');
                    break;
                case "--hub":
                    options.Hub = EndPoint(name, Value());
                    break;
                case "--hub-host":
                    options.HubHost = Value();
                    break;
                case "--cert":
                    certificate = Value();
                    break;
                case "--key":
                    key = Value();
                    break;
                case "--public":
                    options.PublicPorts.Add(Public(Value()));
                    break;
                case "--control":
                    options.Control = EndPoint(name, Value());
                    break;
                case "--idle-timeout":
                    options.IdleTimeout = TimeSpan.FromSeconds(Number(name, Value(), 0, 86_400));
                    break;
                case "--tcp-claims":
                    options.AllowedTcpPortClaims = Value().Split(',').Select(p => Number(name, p, 1, 65_535)).ToHashSet();
                    break;
                case "--fixed-pools":
                    options.StockEmptyPools = false;
                    break;
                case "--transcript":
                    options.TranscriptPath = Value();
                    break;
                case "--verbose":
                    verbose = true;
                    break;
                default:
                    throw new ArgumentException($"{name} is not an option.");
            }
        }

        if (options.Secret.Length == 0) throw new ArgumentException("--secret-file is missing or names an empty file.");
        if (certificate is null != key is null) throw new ArgumentException("--cert and --key go together.");
        if (certificate is not null) LoadCertificate(options, certificate, key!);
        return options;
    }

    private static PublicPort Public(string text)
    {
        var parts = text.Split('=', 2);
        var listen = EndPoint("--public", parts[0]);
        return new PublicPort(listen, parts.Length == 2 ? Number("--public", parts[1], 1, 65_535) : listen.Port);
    }

    private static void LoadCertificate(RelayOptions options, string certificate, string key)
    {
        options.HubCertificate = X509Certificate2.CreateFromPemFile(certificate, key);
        options.HubChain.ImportFromPemFile(certificate);
        options.HubChain.RemoveAt(0);
    }

    private static IPEndPoint EndPoint(string name, string text) =>
        IPEndPoint.TryParse(text, out var endPoint) && text.Contains(':', StringComparison.Ordinal)
            ? endPoint
            : throw new ArgumentException($"{name} {text}: not ADDRESS:PORT.");

    private static int Number(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name} {text}: not a number from {least} to {most}.");
}
