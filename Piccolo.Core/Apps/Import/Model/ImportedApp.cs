namespace Piccolo.Core.Apps.Import.Model;

/// <summary>The app on its way into a manifest.</summary>
internal sealed class ImportedApp
{
    public string Name { get; set; } = "";
    public List<ServicePlan> Services { get; } = [];

    /// <summary>The volumes by their names in the manifest, with their kinds.</summary>
    public SortedDictionary<string, string> Volumes { get; } = new(StringComparer.Ordinal);

    /// <summary>The secrets by name: alphabet and length.</summary>
    public SortedDictionary<string, SecretPlan> Secrets { get; } = new(StringComparer.Ordinal);

    public List<ListenerPlan> Listeners { get; } = [];

    /// <summary>Where the front door of the file leads: of a store's dialect or a proxy's label.</summary>
    public List<(string Service, int Port)> Fronts { get; } = [];

    /// <summary>Whether the names are those of umbrelOS, which adds the app's name and a number.</summary>
    public bool HasUmbrelProxy { get; set; }

    public ServicePlan? Find(string name) => Services.Find(s => s.Name == name);
}

/// <param name="Length">Null where the alphabet has none.</param>
internal sealed record SecretPlan(string Alphabet, int? Length);

internal sealed record ListenerPlan(string Name, ServicePlan Service, int Port, string Protocol, bool IsTls)
{
    public bool IsMain { get; init; }
}
