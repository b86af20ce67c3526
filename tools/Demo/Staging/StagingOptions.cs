using System.Globalization;

namespace Piccolo.Demo.Staging;

/// <summary>What <c>./dev verify-staging</c> was asked for.</summary>
public sealed record StagingOptions
{
    public const string Usage = """
        usage: ./dev verify-staging --relay URL --secret-file FILE --domain DOMAIN [options]

        Tries by hand whether your names, your relay and this machine get certificates from a real certificate
        authority, without touching an appliance or the limits of the real one: an appliance with a state of its own
        is started, claimed and connected to your relay; it runs the preflight, orders the portal's certificate from
        Let's Encrypt Staging, and looks at itself from outside. Afterwards it is stopped and its state deleted.

          --relay URL          your relay's hub, wss://host[:port][/path]
          --secret-file FILE   holds the device secret; an appliance that uses it now must be stopped first
          --domain DOMAIN      the domain whose names lead to the relay
          --portal NAME        the name to certify (default portal.DOMAIN)
          --directory URL      another ACME directory (default Let's Encrypt Staging)
          --ca-roots FILE      PEM roots for talking to it; --relay-roots FILE: for the relay's hub
          --email ADDRESS      contact of the account; --profile NAME; --challenge auto|http-01|tls-alpn-01
          --setting KEY=VALUE  any other setting, such as Piccolo:Remote:ProbeResolver=9.9.9.9; may be repeated
          --renew              orders once more afterwards, as a renewal does (a minute longer)
          --minutes N          how long to wait for each certificate (default 10)

        Prints CHECK lines and STAGING OK; exits 0 only when the certificate was issued and this machine was reached
        under it from outside, else 1 with the reason and what to do. Never part of ./dev test: where CI is set it
        talks to certificate authorities on this machine only.
        """;

    /// <summary>Certificates from here are trusted by nobody; its limits are generous.</summary>
    public static readonly Uri LetsEncryptStaging = new("https://acme-staging-v02.api.letsencrypt.org/directory");

    private const int MaxMinutes = 120;

    public required Uri Relay { get; init; }

    public required string SecretFile { get; init; }

    public required string Domain { get; init; }

    public required string Portal { get; init; }

    public Uri Directory { get; init; } = LetsEncryptStaging;

    public bool Renew { get; init; }

    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Of the appliance that is started.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public bool IsOnThisMachine => Directory.IsLoopback;

    /// <returns>The options, or one sentence about what is wrong with the arguments.</returns>
    public static (StagingOptions? Options, string? Problem) Parse(IReadOnlyList<string> arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name == "--renew")
            {
                values[name] = "";
                continue;
            }
            if (!Known.ContainsKey(name)) return (null, $"unknown option {name}");
            if (++i >= arguments.Count) return (null, $"{name} needs a value");
            if (name != "--setting") values[name] = arguments[i];
            else if (arguments[i].Split('=', 2) is [{ Length: > 0 } key, var value]) settings[key] = value;
            else return (null, "--setting needs KEY=VALUE");
        }
        foreach (var (name, key) in Known)
        {
            if (key is not null && values.TryGetValue(name, out var value)) settings[key] = value;
        }
        return Build(values, settings);
    }

    private static readonly Dictionary<string, string?> Known = new(StringComparer.Ordinal)
    {
        ["--relay"] = null,
        ["--secret-file"] = null,
        ["--domain"] = null,
        ["--portal"] = null,
        ["--directory"] = "Piccolo:Acme:DirectoryUrl",
        ["--ca-roots"] = "Piccolo:Acme:TrustedRootsFile",
        ["--relay-roots"] = "Piccolo:Nexus:TrustedRootsFile",
        ["--email"] = "Piccolo:Acme:Email",
        ["--profile"] = "Piccolo:Acme:Profile",
        ["--challenge"] = "Piccolo:Acme:Challenge",
        ["--setting"] = null,
        ["--minutes"] = null,
    };

    private static (StagingOptions? Options, string? Problem) Build(Dictionary<string, string> values, Dictionary<string, string> settings)
    {
        if (((string[])["--relay", "--secret-file", "--domain"]).FirstOrDefault(n => !values.ContainsKey(n)) is { } missing)
            return (null, $"{missing} is missing");
        if (!Uri.TryCreate(values["--relay"], UriKind.Absolute, out var relay) || relay.Scheme != "wss") return (null, "--relay must be a wss:// URL");
        var directory = LetsEncryptStaging;
        if (values.TryGetValue("--directory", out var text)
            && (!Uri.TryCreate(text, UriKind.Absolute, out directory) || directory.Scheme != Uri.UriSchemeHttps))
            return (null, "--directory must be an https:// URL");
        var minutes = 10;
        if (values.TryGetValue("--minutes", out var wait)
            && !(int.TryParse(wait, NumberStyles.None, CultureInfo.InvariantCulture, out minutes) && minutes is > 0 and <= MaxMinutes))
            return (null, $"--minutes must be between 1 and {MaxMinutes}");
        settings["Piccolo:Acme:DirectoryUrl"] = directory.AbsoluteUri;
        return (new StagingOptions
        {
            Relay = relay,
            SecretFile = values["--secret-file"],
            Domain = values["--domain"],
            Portal = values.GetValueOrDefault("--portal") ?? "portal." + values["--domain"],
            Directory = directory,
            Renew = values.ContainsKey("--renew"),
            Patience = TimeSpan.FromMinutes(minutes),
            Settings = settings,
        }, null);
    }
}
