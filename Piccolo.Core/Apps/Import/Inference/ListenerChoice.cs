using System.Globalization;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>Which ports of the app are for its visitors.</summary>
internal sealed class ListenerChoice(ImportContext context)
{
    private const string To = "listeners";

    // What speaks no HTTP there.
    private static readonly HashSet<int> Raw =
    [
        21, 22, 23, 25, 53, 110, 119, 123, 139, 143, 222, 389, 445, 465, 514, 554, 587, 636, 853, 990, 993, 995, 1194, 1883, 1935, 2222, 4190, 5060, 5222,
        5269, 5514, 6667, 6697, 7687,
        8554, 8555, 8883, 9418, 22000, 25565, 27015, 51413, 51820,
    ];

    private static readonly HashSet<int> OfStores = [1433, 3306, 3307, 5432, 5672, 6379, 11211, 27017];
    private static readonly HashSet<int> Tls = [443, 5986, 8443, 9443];

    // The only purpose of who listens there.
    private static readonly HashSet<int> Tunnels = [1194, 51820];

    /// <summary>Declares the listeners, the main one first.</summary>
    /// <returns>Its name.</returns>
    public string Run()
    {
        var candidates = new List<Candidate>();
        foreach (var service in context.App.Services) candidates.AddRange(Of(service));
        Fronts(candidates);
        // What only the host itself was to reach is the app's where it is all that there is.
        if (candidates.Exists(c => c.Plan is not { IsLoopback: true }))
            foreach (var local in candidates.Where(c => c is { Plan.IsLoopback: true, IsFront: false }).ToList())
            {
                Say(local.Plan!, ImportVerdict.Dropped, "It was for the host alone; the app's own services reach it without this.");
                candidates.Remove(local);
            }
        if (candidates.Count == 0 && Guess() is { } guess) candidates.Add(guess);
        var main = candidates.OrderByDescending(Score).FirstOrDefault();
        foreach (var candidate in candidates.OrderByDescending(c => c == main)) Declare(candidate, candidate == main);
        return context.App.Listeners.Count > 0 ? context.App.Listeners[0].Name : context.App.Name;
    }

    private IEnumerable<Candidate> Of(ServicePlan service)
    {
        var hasHttp = service.Ports.Any(p => p is { IsUdp: false } && !Raw.Contains(p.Container) && !Tls.Contains(p.Container));
        var seen = new HashSet<int>();
        foreach (var port in service.Ports)
        {
            if (port.IsUdp) Udp(service, port);
            else if (service.IsOnce) Say(port, ImportVerdict.Dropped, "A service that runs once has no listener.");
            else if (KnownStores.IsStore(service.Image) || OfStores.Contains(port.Container))
                Say(port, ImportVerdict.Dropped, "A database is for the app's own services, which reach it without this.");
            else if (Tls.Contains(port.Container) && hasHttp) Say(port, ImportVerdict.Dropped, "TLS ends at the box; it talks to the app's port for HTTP.");
            else if (!seen.Add(port.Container)) Say(port, ImportVerdict.Dropped, "The same port once more.");
            else
            {
                var protocol = Raw.Contains(port.Container) ? "raw" : "websocket";
                yield return new Candidate(service, port.Container, port, protocol, Tls.Contains(port.Container), IsFront: false);
            }
        }
    }

    private void Udp(ServicePlan service, PortPlan port)
    {
        var isOnlyWay = Tunnels.Contains(port.Container);
        Say(port, isOnlyWay ? ImportVerdict.Refused : ImportVerdict.Dropped, isOnlyWay
            ? "This release has no listeners for UDP, and this one is what the app is for."
            : $"This release has no listeners for UDP: what '{ImportContext.Shown(service.Name)}' offers there is not reached from outside the app.");
    }

    private void Fronts(List<Candidate> candidates)
    {
        foreach (var (name, port) in context.App.Fronts)
        {
            var service = context.App.Services.Find(s => s.Name == name)
                ?? context.App.Services.Where(s => name.Contains($"_{s.Name}_", StringComparison.Ordinal)).MaxBy(s => s.Name.Length);
            if (service is null || service.IsOnce) continue;
            var known = candidates.FindIndex(c => c.Service == service && (c.Port == port || c.Plan?.Published == port));
            if (known >= 0) candidates[known] = candidates[known] with { IsFront = true };
            else candidates.Add(new Candidate(service, port, null, "websocket", IsTls: false, IsFront: true));
        }
    }

    /// <summary>The file publishes nothing: what it exposes, or where its health check asks, else where most web servers listen.</summary>
    private Candidate? Guess()
    {
        var services = context.App.Services.Where(s => !s.IsOnce && !KnownStores.IsStore(s.Image)).ToList();
        var main = services.Find(s => s.Exposed.Count > 0) ?? services.Find(s => HealthPort(s) is not null)
            ?? services.Find(s => !context.App.Services.Any(o => o.Dependencies.Any(d => d.Service == s.Name))) ?? services.FirstOrDefault()
            ?? context.App.Services.Find(s => !s.IsOnce);
        if (main is null) return null;
        int? known = main.Exposed.Count > 0 ? main.Exposed[0] : HealthPort(main);
        context.Report.Add(main.Field, known is null ? ImportVerdict.Asked : ImportVerdict.Translated, known is null
            ? "The file publishes no port: a listener for port 80 is written; change it where the app has another one."
            : "The file publishes no port: the one that it exposes, or asks for its health, becomes a listener.", To);
        return new Candidate(main, known ?? 80, null, "websocket", IsTls: false, IsFront: true);
    }

    private static int? HealthPort(ServicePlan service)
    {
        var line = string.Join(' ', service.Health?.Command ?? []);
        var at = line.IndexOf("localhost:", StringComparison.Ordinal);
        if (at < 0) at = line.IndexOf("127.0.0.1:", StringComparison.Ordinal);
        if (at < 0) return null;
        var digits = new string([.. line.Skip(at + "localhost:".Length).TakeWhile(char.IsAsciiDigit).Take(5)]);
        return int.TryParse(digits, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;
    }

    private int Score(Candidate candidate) =>
        (candidate.IsFront ? 16 : 0) + (candidate.Protocol != "raw" ? 8 : 0) + (candidate.IsTls ? 0 : 4)
        + (candidate.Plan?.Published == 80 ? 2 : 0) + (context.App.Services.Any(s => s.Dependencies.Any(d => d.Service == candidate.Service.Name)) ? 0 : 1);

    private void Declare(Candidate candidate, bool isMain)
    {
        var app = context.App;
        if (app.Listeners.Count == ManifestLimits.Listeners)
        {
            if (candidate.Plan is not null) Say(candidate.Plan, ImportVerdict.Dropped, $"An app has at most {ManifestLimits.Listeners} listeners.");
            return;
        }
        var wish = isMain ? app.Name : string.Create(CultureInfo.InvariantCulture, $"{app.Name}-{candidate.Port}");
        var name = Labels.Unique(wish, n => app.Listeners.Any(l => l.Name == n), "app");
        app.Listeners.Add(new ListenerPlan(name, candidate.Service, candidate.Port, candidate.Protocol, candidate.IsTls) { IsMain = isMain });
        if (candidate.Plan is not null) Say(candidate.Plan, ImportVerdict.Translated, SentenceOf(candidate, isMain), $"{To}.{name}");
    }

    private static string SentenceOf(Candidate candidate, bool isMain) =>
        candidate.Protocol == "raw" ? "A listener without HTTP: the box chooses its port on the LAN."
        : candidate.IsTls ? "A listener: TLS is passed through to the app."
        : isMain ? "The app's address."
        : "A listener of its own; remove it where nobody needs it.";

    private void Say(PortPlan port, ImportVerdict verdict, string sentence, string? to = null) => context.Report.Add(port.Field, verdict, sentence, to);

    private sealed record Candidate(ServicePlan Service, int Port, PortPlan? Plan, string Protocol, bool IsTls, bool IsFront);
}
