using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Import.Writing;

/// <summary>The app as a manifest, in the grammar of this release.</summary>
internal sealed class ManifestAssembly(ImportContext context, HashSet<string> closedNetworks)
{
    private const string Header = "# Made from a compose file. The report of the import says what became of each of its keys.\n";

    private const int MaxSysctls = 32;
    private const long PostgresMemory = 256L << 20;

    public string Write()
    {
        var app = context.App;
        var json = new JsonObject { ["name"] = app.Name, ["services"] = Map(app.Services, s => s.Label, Service) };
        json["listeners"] = new JsonArray([.. app.Listeners.Select(Listener)]);
        var volumes = app.Volumes.Where(v => app.Services.Any(s => s.Mounts.Any(m => m.Volume == v.Key))).ToList();
        if (volumes.Count > 0)
            json["storage"] = new JsonObject
            {
                ["persistent"] = Map(volumes, v => v.Key, v =>
                v.Value == "data" ? new JsonObject() : new JsonObject { ["kind"] = v.Value })
            };
        var secrets = app.Secrets.Where(s => IsUsed(s.Key)).ToList();
        if (secrets.Count > 0) json["secrets"] = Map(secrets, s => s.Key, s => Secret(s.Value));
        return Header + YamlText.Write(json);
    }

    private JsonObject Service(ServicePlan service)
    {
        var json = new JsonObject { ["image"] = service.Image };
        if (service.Aliases.Count > 0) json["aliases"] = List(service.Aliases);
        if (Entrypoint(service) is { } entrypoint) json["entrypoint"] = List(entrypoint);
        if (service.Command is { } command) json["command"] = List(command.Select(References.Write));
        if (service.User is not null) json["user"] = service.User;
        if (service.WorkingDirectory is not null) json["working_dir"] = service.WorkingDirectory;
        if (service.Hostname is not null) json["hostname"] = service.Hostname;
        if (service.HasInit) json["init"] = true;
        var variables = service.Environment.Select(v => (v.Name, Text: References.Write(v.Text))).Where(v =>
            v.Text.Length <= ManifestLimits.VariableLength).ToList();
        if (variables.Count > 0) json["environment"] = Map(variables, v => v.Name, v => JsonValue.Create(v.Text));
        if (service.Mounts.Count > 0) json["mounts"] = Map(service.Mounts, m => m.Path, Mount);
        if (service.Dependencies.Count > 0)
            json["depends_on"] = Map(service.Dependencies, d => context.App.Find(d.Service)!.Label, d => JsonValue.Create(d.Condition));
        if (service.IsOnce) json["run"] = "once";
        if (Health(service) is { Count: > 0 } health) json["healthcheck"] = health;
        if (Stop(service) is { Count: > 0 } stop) json["stop"] = stop;
        if (Resources(service) is { Count: > 0 } resources) json["resources"] = resources;
        if (Permissions(service) is { Count: > 0 } permissions) json["permissions"] = permissions;
        return json;
    }

    /// <summary>No value is filled in there, so that nothing that looks like one may stand there.</summary>
    private List<string>? Entrypoint(ServicePlan service)
    {
        if (service.Entrypoint is not { } words || !words.Any(w => ManifestValues.References(w).Any())) return service.Entrypoint;
        context.Report.Add(service.Field.Find("entrypoint")!, ImportVerdict.Refused, "Something in it would be taken for a value of the box.");
        return null;
    }

    private JsonObject? Health(ServicePlan service)
    {
        if (service.Health is not { } plan) return StorePort(service) is { } port ? new JsonObject { ["tcp"] = new JsonObject { ["port"] = port } } : null;
        if (plan.IsNone) return None(service, plan);
        var json = new JsonObject();
        if (plan.Command is { } command && HealthCommand(service, command) is { } words) json["command"] = List(words);
        else if (plan.Command is not null)
            context.Report.Add(plan.Field.Find("test")!, ImportVerdict.Dropped,
                "A password that the box makes up stands in it; the image's own check is used.");
        else if (plan is { Interval: null, Timeout: null, Retries: null, StartPeriod: null }) return null;
        if (plan.Interval is { } interval) json["interval"] = Durations.Write(interval);
        if (plan.Timeout is { } timeout) json["timeout"] = Durations.Write(timeout);
        if (plan.Retries is { } retries) json["retries"] = retries;
        if (plan.StartPeriod is { } start) json["start_period"] = Durations.Write(start);
        return json;
    }

    private JsonObject? None(ServicePlan service, HealthPlan plan)
    {
        var port = context.App.Listeners.Find(l => l.Service == service)?.Port ?? StorePort(service);
        context.Report.Add(plan.Field, port is null ? ImportVerdict.Dropped : ImportVerdict.Translated,
            port is null ? "The image's own check stays." : "A connection to its port takes the place of the image's check.");
        return port is null ? null : new JsonObject { ["tcp"] = new JsonObject { ["port"] = port } };
    }

    /// <summary>Nothing is filled in in a check: a secret is read from the service's own variable, by the shell.</summary>
    /// <returns>Null where that cannot be.</returns>
    private static List<string>? HealthCommand(ServicePlan service, List<string> command)
    {
        var words = new List<string>();
        foreach (var word in command)
        {
            var text = word;
            if (command is ["sh", "-c", _])
                foreach (var variable in service.Environment.Where(v => References.SecretOf(v.Text) is not null))
                    text = text.Replace(variable.Text, "$" + variable.Name, StringComparison.Ordinal);
            if (References.Any(text) || ManifestValues.References(text).Any()) return null;
            words.Add(text);
        }
        return CommandIsShort(words) ? words : null;
    }

    private static bool CommandIsShort(List<string> words) => words.All(w => w.Length <= ManifestLimits.WordLength);

    private static JsonObject Stop(ServicePlan service)
    {
        var json = new JsonObject();
        if (service.StopSignal is not null) json["signal"] = service.StopSignal;
        // What a database has here was meant for an engine that waits ten seconds; the box knows better.
        if (service.StopGrace is { } grace && !(KnownStores.IsStore(service.Image) && grace < TimeSpan.FromMinutes(2))) json["grace"] = Durations.Write(grace);
        return json;
    }

    private static JsonObject Resources(ServicePlan service)
    {
        var json = new JsonObject();
        var limits = new JsonObject();
        if (service.Memory is { } memory) limits["memory"] = ResourceSizes.WriteBytes(memory);
        if (service.Cpus is { } cpus) limits["cpu"] = cpus;
        if (limits.Count > 0) json["limits"] = limits;
        var shared = service.SharedMemory ?? (KnownStores.Of(service.Image)?.Title == "PostgreSQL" ? PostgresMemory : null);
        if (shared is { } bytes) json["shm"] = ResourceSizes.WriteBytes(bytes);
        if (service.TemporaryFolders.Count > 0)
            json["tmpfs"] = Map(service.TemporaryFolders, t => t.Path, t => JsonValue.Create(ResourceSizes.WriteBytes(t.Bytes)));
        return json;
    }

    private JsonObject Permissions(ServicePlan service)
    {
        var json = new JsonObject();
        var isClosed = service.HasNoNetwork || KnownStores.IsStore(service.Image) || (service.Networks.Count > 0
            && service.Networks.TrueForAll(closedNetworks.Contains));
        // Where this release cannot close a service off, nothing is written that would only look so.
        if (!isClosed || ReleaseFeatures.CanDenyInternet) json["network"] = new JsonObject { ["internet"] = isClosed ? "deny" : "allow" };
        if (service.HasLan && json["network"] is JsonObject network) network["local_network"] = "allow";
        if (service.IsRootReadOnly) json["filesystem"] = new JsonObject { ["read_only_root"] = true };
        if (service.Capabilities.Count > 0) json["capabilities"] = List(service.Capabilities);
        else if (service.DropsAllCapabilities && ReleaseFeatures.CanHaveNoCapabilities) json["capabilities"] = new JsonArray();
        if (service.HasNewPrivileges) json["new_privileges"] = "allow";
        if (service.Sysctls.Count > 0)
            json["sysctls"] = Map(service.Sysctls.DistinctBy(s => s.Name).Take(MaxSysctls), s => s.Name, s => JsonValue.Create(s.Value));
        return json;
    }

    private JsonObject Listener(ListenerPlan listener)
    {
        var json = new JsonObject { ["name"] = listener.Name, ["service"] = listener.Service.Label, ["guest_port"] = listener.Port };
        if (listener.IsTls) json["flow"] = "tls";
        else json["protocol"] = listener.Protocol;
        return json;
    }

    private static JsonNode Mount(MountPlan mount) =>
        mount.IsReadOnly ? new JsonObject { ["volume"] = mount.Volume, ["read_only"] = true } : JsonValue.Create(mount.Volume);

    private static JsonObject Secret(SecretPlan secret)
    {
        var json = new JsonObject { ["generate"] = secret.Alphabet };
        if (secret.Length is { } length) json["length"] = length;
        return json;
    }

    private bool IsUsed(string secret)
    {
        var mark = References.Secret(secret);
        return context.App.Services.Any(s => s.Environment.Any(v => v.Text.Contains(mark, StringComparison.Ordinal)) || s.Command?.Any(w =>
            w.Contains(mark, StringComparison.Ordinal)) == true);
    }

    private static int? StorePort(ServicePlan service) => KnownStores.Of(service.Image)?.Title switch
    {
        "PostgreSQL" => 5432,
        "MariaDB" or "MySQL" => 3306,
        "MongoDB" => 27017,
        "Redis" or "Valkey" => 6379,
        _ => null,
    };

    private static JsonObject Map<T>(IEnumerable<T> items, Func<T, string> key, Func<T, JsonNode?> write) => new(items.Select(i =>
        KeyValuePair.Create(key(i), write(i))));

    private static JsonArray List(IEnumerable<string> words) => new([.. words.Select(w => JsonValue.Create(w))]);
}
