using Piccolo.Core.Apps.Import.Fields;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Sections;

/// <summary>Which services become part of the app, and the reading of each.</summary>
internal sealed class ServiceReader(ImportContext context, ComposeFiles files, VolumeKeys volumes)
{
    // What such services do, the box does itself.
    private static readonly (string Image, string Task)[] OfTheBox =
    [
        ("watchtower", "updates"), ("diun", "news of updates"), ("ouroboros", "updates"), ("certbot", "certificates"), ("acme-companion", "certificates"),
        ("nginx-proxy", "the proxy in front"), ("nginx-proxy-manager", "the proxy in front"), ("swag", "the proxy in front"), ("caddy", "the proxy in front"),
        ("traefik", "the proxy in front"), ("docker-socket-proxy", "the engine"), ("autoheal", "restarts"),
    ];

    public void Read()
    {
        var services = files.Section("services");
        var profiles = (context.Value("COMPOSE_PROFILES") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var field in services.Select(files.Resolve)) ReadOne(field, profiles, services.Count);
        foreach (var section in files.Sections("services").Where(s => s.Value is not ManifestNode.Mapping { Entries.Count: > 0 }))
            context.Report.Add(section, ImportVerdict.Refused, "There are no services.");
    }

    private void ReadOne(Field field, string[] profiles, int count)
    {
        var wanted = field.Find("profiles")?.Items().Select(i => context.Single(i)).OfType<string>().ToList() ?? [];
        if (field.Value is not ManifestNode.Mapping) Say(field, ImportVerdict.Refused, $"A service is a mapping of fields, not {field.Value.Shape}.");
        else if (context.Source.Without.Contains(field.Key)) Say(field, ImportVerdict.Dropped, "Left out, as you asked.");
        else if (field.Key == "app_proxy" && field.Find("image") is null) UmbrelProxy(field);
        else if (wanted.Count > 0 && !wanted.Any(p => profiles.Contains(p) || profiles.Contains("*")))
            Say(field, ImportVerdict.Dropped,
                $"Only for the profile '{ImportContext.Shown(wanted[0])}': a line COMPOSE_PROFILES in the environment file brings it.");
        else if (context.App.Services.Count == ManifestLimits.Services)
            Say(field, ImportVerdict.Refused, $"An app has at most {ManifestLimits.Services} services.");
        else Fields(field, count);
    }

    private void Fields(Field field, int count)
    {
        var wish = Model.Labels.Of(field.Key, "service");
        // What is a number or 'localhost' would be taken for an address.
        if (wish == "localhost" || wish.All(char.IsAsciiDigit) || wish.StartsWith("0x", StringComparison.Ordinal)) wish = $"s-{wish}";
        var label = Model.Labels.Unique(wish, l => context.App.Services.Any(s => s.Label == l), "service");
        var service = new ServicePlan(field.Key, label, field);
        var hasImage = BuildKeys.TryImage(context, service, field);
        // The lowest rank first: files of variables, then variables, then what asks for them.
        foreach (var key in field.Items().OrderBy(k => k.Key switch { "env_file" => 0, "environment" => 1, _ => 2 }))
        {
            if (key.Key == "env_file") EnvironmentKeys.Files(context, service, key);
            else if (key.Key == "volumes") volumes.Volumes(service, key);
            else if (key.Key == "volumes_from") VolumesFrom(service, key);
            else ServiceKeys.Read(context, service, key);
        }
        if (count > 1 && OfTheBox.FirstOrDefault(b => ImageName(service.Image) == b.Image) is { Task: { } task })
            Say(field, ImportVerdict.Asked, $"The box does this itself ({task}): import again without this service, or keep it.");
        if (hasImage) context.App.Services.Add(service);
    }

    private void UmbrelProxy(Field field)
    {
        context.App.HasUmbrelProxy = true;
        var host = field.Find("environment")?.Find("APP_HOST") is { } h ? context.Single(h) : null;
        var port = field.Find("environment")?.Find("APP_PORT") is { } p ? context.Whole(p) : null;
        if (host is not null && port is >= 1 and <= 65535) context.App.Fronts.Add((host, port.Value));
        Say(field, ImportVerdict.Translated, "The box is the proxy in front; where this one leads is the app's first listener.");
    }

    private void VolumesFrom(ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var parts = (context.Single(item) ?? "").Split(':');
            if (parts[0] == "container" || context.App.Find(parts[0]) is not { } other)
            {
                Say(item, ImportVerdict.Refused, "The volumes of no other project's container, and of no later service, can be mounted.");
                continue;
            }
            foreach (var mount in other.Mounts.Where(m => service.Mounts.All(own => own.Path != m.Path) && service.Mounts.Count < ManifestLimits.Mounts))
                service.Mounts.Add(mount with { IsReadOnly = mount.IsReadOnly || parts.Contains("ro") });
            Say(item, ImportVerdict.Translated, "The mounts are written out.");
        }
    }

    private void Say(Field field, ImportVerdict verdict, string sentence) => context.Report.Add(field, verdict, sentence);

    private static string ImageName(string image)
    {
        var name = image.Split('@', 2)[0];
        return name[(name.LastIndexOf('/') + 1)..].Split(':', 2)[0];
    }
}
