using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Sections;

/// <summary>The compose file and those that it includes or extends: all of the bundle, nothing else.</summary>
internal sealed class ComposeFiles(ImportContext context, ManifestNode.Mapping root)
{
    private const int MaxFiles = 16;

    private readonly Dictionary<string, ManifestNode.Mapping?> _read = new(StringComparer.Ordinal);
    private readonly HashSet<string> _included = new(StringComparer.Ordinal);

    /// <summary>The keys of a section at the top, of the file and then of what it includes. The first of a name counts.</summary>
    public List<Field> Section(string key)
    {
        var fields = Sections(key).SelectMany(s => s.Items()).ToList();
        return [.. fields.DistinctBy(f => f.Key, StringComparer.Ordinal)];
    }

    /// <summary>The sections of that name.</summary>
    public IEnumerable<Field> Sections(string key)
    {
        foreach (var (path, file) in Files())
            if (Field.Of(file, path).FirstOrDefault(f => f.Key == key) is { } section) yield return section;
    }

    /// <summary>Says in the report what became of <c>include</c>.</summary>
    public void ReportIncludes()
    {
        foreach (var field in Field.Of(root, "").Where(f => f.Key == "include"))
        {
            foreach (var (item, name) in Includes(field))
            {
                if (name is null) context.Report.Add(item, ImportVerdict.Dropped, "It names no file.");
                else if (Read(name, item) is not null) context.Report.Add(item, ImportVerdict.Translated, "Its services stand in the manifest.");
                else context.Report.Add(item, ImportVerdict.Refused, $"The file '{ImportContext.Shown(name)}' is not here: import again with it.");
            }
            if (field.Value is not ManifestNode.Sequence) context.Report.Add(field, ImportVerdict.Dropped, "It is no list of files.");
        }
    }

    /// <summary>A service with what it extends written in.</summary>
    public Field Resolve(Field service) => service.Find("extends") is { } extends ? Resolve(service, root, [], extends) : service;

    /// <param name="reported">The key of the service itself: what is wrong further away is said there.</param>
    private Field Resolve(Field service, ManifestNode.Mapping file, HashSet<string> seen, Field reported)
    {
        if (service.Find("extends") is not { } extends) return service;
        var wanted = extends.Value is ManifestNode.Scalar ? extends : extends.Find("service");
        var name = wanted is null ? null : context.Single(wanted);
        var other = extends.Find("file") is { } from ? context.Single(from) : null;
        if (name is null || !seen.Add($"{other}\0{name}") || seen.Count > MaxFiles)
        {
            context.Report.Add(reported, ImportVerdict.Refused,
                name is null ? "It names no service." : "The services extend each other, or too many others.");
            return service;
        }
        var source = other is null ? file : Read(other, extends);
        var found = source is null ? null : Field.Of(source, "").FirstOrDefault(f => f.Key == "services")?.Find(name);
        if (found is null)
        {
            context.Report.Add(reported, service.Find("image") is null ? ImportVerdict.Refused : ImportVerdict.Asked,
                source is null ? $"The file '{ImportContext.Shown(other!)}' is not here: import again with it." : "There is no such service.");
            return service;
        }
        var extended = Resolve(found with { Path = service.Path }, source!, seen, reported);
        context.Report.Add(reported, ImportVerdict.Translated, "What it extends stands in the service.");
        return service with { Value = Merge(service.Value, extended.Value, "") };
    }

    /// <summary>What is written in the service wins; lists of both are joined.</summary>
    private static ManifestNode Merge(ManifestNode written, ManifestNode inherited, string key)
    {
        if (written is ManifestNode.Sequence list && inherited is ManifestNode.Sequence more && key is not ("command" or "entrypoint" or "test"))
        {
            var names = list.Items.Select(NameOf).ToHashSet(StringComparer.Ordinal);
            return list with { Items = [.. list.Items, .. more.Items.Where(i => !names.Contains(NameOf(i)))] };
        }
        if (written is not ManifestNode.Mapping mapping || inherited is not ManifestNode.Mapping other) return written;
        var inheritedBy = other.Entries.ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal);
        var own = mapping.Entries.Select(e => e.Key).ToHashSet(StringComparer.Ordinal);
        var entries = mapping.Entries.Select(e => inheritedBy.TryGetValue(e.Key, out var match) ? e with { Value = Merge(e.Value, match, e.Key) } : e);
        return mapping with { Entries = [.. entries, .. other.Entries.Where(o => o.Key is not "extends" && !own.Contains(o.Key))] };
    }

    /// <summary>The variable or the whole text that an item of a list is.</summary>
    private static string NameOf(ManifestNode item) => item is ManifestNode.Scalar scalar ? scalar.Text.Split('=', 2)[0] : $"{item.Place}";

    private IEnumerable<(string Path, ManifestNode.Mapping File)> Files()
    {
        yield return ("", root);
        _included.Clear();
        foreach (var field in Field.Of(root, "").Where(f => f.Key == "include"))
            foreach (var (item, name) in Includes(field))
                if (name is not null && _included.Add(name) && Read(name, item) is { } file) yield return (item.Path, file);
    }

    private IEnumerable<(Field Item, string? Name)> Includes(Field field) =>
        field.Value is ManifestNode.Sequence ? field.Items().Select(i => (i, (i.Find("path") ?? i) is { Value: ManifestNode.Scalar } p ? context.Single(p)
            : null)) : [];

    private ManifestNode.Mapping? Read(string name, Field wantedBy)
    {
        if (_read.TryGetValue(name, out var known)) return known;
        if (_read.Count == MaxFiles) throw new ImportFaultException(wantedBy.Path, wantedBy.Line, "The file is made of too many others.");
        if (context.Companion(name) is not { } text)
        {
            context.Missing(name, wantedBy, "A part of the compose file stands in it.");
            return _read[name] = null;
        }
        try
        {
            return _read[name] = ComposeYaml.Read(text, wantedBy.Path);
        }
        catch (ImportFaultException e)
        {
            throw new ImportFaultException(wantedBy.Path, wantedBy.Line, $"The file '{ImportContext.Shown(name)}' cannot be read. {e.Message}");
        }
    }
}
