using System.Reflection;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// What a build knows of the store's form: the newest <c>min_reader</c> that it can read, and where its migration scripts lie. Expanding scripts leave
/// <c>min_reader</c> as it is; a contracting one, a release later, raises it.
/// </summary>
internal sealed record StoreSchema(int Reader, IReadOnlyList<Assembly> Migrations)
{
    public static readonly StoreSchema Current = new(1, [typeof(StoreSchema).Assembly]);
}
