using System.Globalization;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Takes the fields out of the tree. Whatever has a wrong shape, is unknown or cannot be honoured becomes an error.</summary>
internal sealed class ManifestDraftReader(ManifestErrorList errors)
{
    private static readonly string[] OpenNetworks = ["internet", "local_network", "dns"];

    private delegate void FieldReader(string path, ManifestNode value);

    public ManifestDraft Read(ManifestNode.Mapping root)
    {
        var draft = new ManifestDraft();
        errors.Place("", root.Line);
        ReadFields("", root, new()
        {
            ["name"] = (p, v) => draft.Name = Text(p, v),
            ["image"] = (p, v) => draft.Image = Text(p, v),
            ["type"] = (p, v) => draft.Type = Text(p, v),
            ["listeners"] = (p, v) => draft.Listeners = Items(p, v)?.Select((item, i) => Listener($"{p}[{i}]", item)).ToList(),
            ["environment"] = (p, v) => draft.Environment = Environment(p, v),
            ["resources"] = (p, v) => Nested(p, v, new()
            {
                ["limits"] = (q, limits) => Nested(q, limits, new()
                {
                    ["memory"] = (r, value) => draft.Memory = Text(r, value),
                    ["cpu"] = (r, value) => draft.Cpu = Text(r, value),
                    ["storage"] = NotAvailable,
                }),
            }),
            ["permissions"] = (p, v) => Nested(p, v, new()
            {
                ["network"] = Network,
                ["resources"] = NotAvailable,
                ["filesystem"] = NotAvailable,
                ["preset"] = NotAvailable,
            }),
            ["build"] = NotAvailable,
            ["storage"] = NotAvailable,
            ["filesystem"] = NotAvailable,
            ["depends_on"] = NotAvailable,
            ["healthcheck"] = NotAvailable,
            ["app_config"] = NotAvailable,
        });
        return draft;
    }

    private ListenerDraft Listener(string path, ManifestNode node)
    {
        var draft = new ListenerDraft();
        errors.Place(path, node.Line);
        Nested(path, node, new()
        {
            ["name"] = (p, v) => draft.Name = Text(p, v),
            ["guest_port"] = (p, v) => draft.GuestPort = Number(p, v),
            ["flow"] = (p, v) => draft.Flow = Text(p, v),
            ["protocol"] = (p, v) => draft.Protocol = Text(p, v),
            ["remote_ports"] = (p, v) => draft.RemotePorts = Items(p, v)?.Select((item, i) => Number($"{p}[{i}]", item)).ToList(),
            ["protocol_middleware"] = NotAvailable,
            ["x-piccolo"] = (p, v) => Nested(p, v, new()
            {
                ["proxy_protocol"] = (q, value) => draft.ProxyProtocol = Text(q, value),
                ["hsts_max_age"] = (q, value) => draft.HstsMaxAge = Number(q, value),
                ["health_path"] = (q, value) => draft.HealthPath = Text(q, value),
            }),
        });
        return draft;
    }

    private void ReadFields(string parent, ManifestNode.Mapping mapping, Dictionary<string, FieldReader> fields)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var path = Join(parent, entry.Key);
            if (!seen.Add(entry.Key)) errors.Add(path, entry.Line, "The field is given twice.");
            else if (fields.TryGetValue(entry.Key, out var read)) ReadField(path, entry, read);
            else if (!entry.Key.StartsWith("x-", StringComparison.Ordinal)) errors.Add(path, entry.Line, NoSuchField(entry.Key));
        }
    }

    private static string NoSuchField(string name) =>
        InvisibleCharacters.FirstIn(name) is { } odd ? $"There is no such field: the name has {odd} in it." : "There is no such field.";

    private void ReadField(string path, ManifestNode.Entry entry, FieldReader read)
    {
        errors.Place(path, entry.Line);
        // A field without a value is a field that was not given.
        if (entry.Value is not ManifestNode.Scalar { IsNull: true }) read(path, entry.Value);
    }

    private void Nested(string path, ManifestNode node, Dictionary<string, FieldReader> fields)
    {
        if (node is ManifestNode.Mapping mapping) ReadFields(path, mapping, fields);
        else errors.Add(path, node.Line, $"A mapping of fields is expected, not {node.Shape}.");
    }

    /// <summary>What this release could only ignore is refused, so that nobody believes in protection or storage that is not there.</summary>
    private void NotAvailable(string path, ManifestNode node)
    {
        if (!node.IsEmpty) errors.Add(path, node.Line, "This field is not available in this release; remove it.");
    }

    /// <summary>Apps have an open network. Saying so is accepted, asking for less is not yet.</summary>
    private void Network(string path, ManifestNode node)
    {
        var fields = OpenNetworks.ToDictionary(name => name, _ => (FieldReader)AllowOnly);
        fields["allowed_domains"] = NotAvailable;
        fields["allowed_ips"] = NotAvailable;
        Nested(path, node, fields);
    }

    private void AllowOnly(string path, ManifestNode node)
    {
        if (Text(path, node) is not (null or "allow")) errors.Add(path, node.Line, "Only 'allow' is available in this release; remove the field.");
    }

    private List<KeyValuePair<string, string>> Environment(string path, ManifestNode node)
    {
        var result = new List<KeyValuePair<string, string>>();
        if (node is not ManifestNode.Mapping mapping)
        {
            errors.Add(path, node.Line, $"A mapping of names to values is expected, not {node.Shape}.");
            return result;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var place = Join(path, entry.Key);
            errors.Place(place, entry.Line);
            if (!seen.Add(entry.Key)) errors.Add(place, entry.Line, "The variable is given twice.");
            else if (entry.Value is not ManifestNode.Scalar { IsNull: false } value)
                errors.Add(place, entry.Value.Line, "A single value is expected; an empty one is written \"\".");
            else result.Add(new(entry.Key, value.Text));
        }
        return result;
    }

    private IReadOnlyList<ManifestNode>? Items(string path, ManifestNode node)
    {
        if (node is ManifestNode.Sequence { Items.Count: <= AppManifestValidator.MaxListLength } list) return list.Items;
        errors.Add(
            path, node.Line,
            node is ManifestNode.Sequence ? $"The list has more than {AppManifestValidator.MaxListLength} entries." : $"A list is expected, not {node.Shape}.");
        return null;
    }

    private string? Text(string path, ManifestNode node)
    {
        if (node is ManifestNode.Scalar { IsNull: false } scalar) return scalar.Text;
        errors.Add(path, node.Line, $"A single value is expected, not {(node is ManifestNode.Scalar ? "nothing" : node.Shape)}.");
        return null;
    }

    private int? Number(string path, ManifestNode node)
    {
        errors.Place(path, node.Line);
        if (node is ManifestNode.Scalar { IsPlain: true } scalar && int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        errors.Add(path, node.Line, "A whole number without quotes is expected.");
        return null;
    }

    // A key of any length or content may come in; as a path it is cut and stays on one line.
    private static string Join(string parent, string key)
    {
        const int maxShown = 64;
        var shown = new string([.. key.Take(maxShown).Select(c => char.IsControl(c) ? '?' : c)]);
        return parent.Length == 0 ? shown : $"{parent}.{shown}";
    }
}
