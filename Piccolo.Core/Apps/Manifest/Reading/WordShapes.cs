using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Whether something is allowed. A presence of its own on the local network is known, and not in this release.</summary>
internal sealed class RightShape : Shape<string>
{
    private static readonly TextShape Text = new() { Words = ["allow", "deny"] };

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out string value)
    {
        if (!Text.TryRead(path, node, errors, out value)) return false;
        if (value != "join") return true;
        errors.Add(path, node.Place, ManifestErrorCodes.NotAvailable, "An address of its own on the local network is not available in this release.");
        return false;
    }

    public override JsonObject Describe() => Text.Describe();
}

/// <summary>How often a service runs. Times of the day are known, and not in this release.</summary>
internal sealed class RunShape : Shape<string>
{
    private static readonly TextShape Text = new() { Words = ["always", "once"] };

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out string value)
    {
        value = null;
        if (node is not ManifestNode.Mapping && (!Text.TryRead(path, node, errors, out value) || value != "every")) return value is not null;
        errors.Add(path, node.Place, ManifestErrorCodes.NotAvailable, "Services that run at times of the day are not available in this release.");
        value = null;
        return false;
    }

    public override JsonObject Describe() => Text.Describe();
}
