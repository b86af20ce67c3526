namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Takes the fields out of the tree. Whatever has a wrong shape, is unknown or cannot be honoured becomes an error.</summary>
internal static class ManifestDraftReader
{
    public static ManifestDraft Read(ManifestNode.Mapping root, ManifestErrorList errors)
    {
        var draft = new ManifestDraft();
        errors.Place("", root.Place);
        foreach (var entry in root.Entries)
            if (!entry.Value.IsEmpty) draft.Given.Add(entry.Key);
        AppFields.Table.Read("", root, draft, errors);
        return draft;
    }
}
