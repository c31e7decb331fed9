//! Which file uses which name of which other file?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use crate::circles::Arrow;

/// The modules of a crate, by their paths.
#[derive(Default)]
pub(crate) struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
}

/// What one module says.
#[derive(Default)]
struct Module {
    /// Names that its `use` bring in, each with the path that it stands for.
    imports: BTreeMap<String, Vec<String>>,
    /// Every path that begins with `crate`, `self` or `super`, and every import.
    paths: BTreeSet<Vec<String>>,
}

impl Crate {
    /// Reads all sources under `folder`, from its `lib.rs` or `main.rs` on.
    pub(crate) fn read(folder: &Path) -> Self {
        let root = ["lib.rs", "main.rs"].map(|name| folder.join(name));
        let root = root.iter().find(|path| path.exists()).unwrap();
        let mut all = Self::default();
        all.file(root, folder, Vec::new());
        all
    }

    /// Reads one file, and those of its modules, which lie in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, path: Vec<String>) {
        let text = std::fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let parsed = syn::parse_file(&text)
            .unwrap_or_else(|error| panic!("cannot parse {}: {error}", file.display()));
        self.items(&parsed.items, folder, path);
    }

    /// Takes the items of a module in.
    fn items(&mut self, items: &[Item], folder: &Path, path: Vec<String>) {
        let mut module = Module::default();
        for item in items {
            match item {
                Item::Mod(child) if !only_in_tests(&child.attrs) => {
                    let name = child.ident.to_string();
                    let child_path = [path.clone(), vec![name.clone()]].concat();
                    match &child.content {
                        Some((_, items)) => self.items(items, &folder.join(&name), child_path),
                        None => {
                            let file = folder.join(format!("{name}.rs"));
                            self.file(&file, &folder.join(&name), child_path);
                        }
                    }
                }
                Item::Mod(_) => {}
                item => module.visit_item(item),
            }
        }
        self.modules.insert(path, module);
    }

    /// All uses of a name of one module by another.
    pub(crate) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = BTreeSet::new();
        for (from, module) in &self.modules {
            for path in &module.paths {
                if let Some((to, name)) = self.defined(from, path, 0)
                    && to != *from
                {
                    let from = from.clone();
                    arrows.insert(Arrow { from, to, name });
                }
            }
        }
        arrows.into_iter().collect()
    }

    /// The module where `path`, as `from` writes it, is defined, and the name there.
    fn defined(
        &self,
        from: &[String],
        path: &[String],
        depth: u8,
    ) -> Option<(Vec<String>, String)> {
        let mut at = from.to_vec();
        for (index, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name => {
                    at.push(name.to_string());
                    if self.modules.contains_key(&at) {
                        continue;
                    }
                    at.pop();
                    // The first name may be another crate's.
                    let import = self.modules[&at].imports.get(name).filter(|_| depth < 9);
                    let Some(import) = import else {
                        return (index > 0).then(|| (at, name.to_string()));
                    };
                    let further = [import.clone(), path[index + 1..].to_vec()].concat();
                    return self
                        .defined(&at, &further, depth + 1)
                        .or_else(|| (index > 0).then(|| (at, name.to_string())));
                }
            }
        }
        Some((at, "self".to_string()))
    }
}

impl Visit<'_> for Module {
    fn visit_item(&mut self, item: &Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !only_in_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        self.mention(parts.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}

impl Module {
    /// Takes in what one `use` brings.
    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
            UseTree::Name(name) => self.import(before, &name.ident, &name.ident),
            UseTree::Rename(name) => self.import(before, &name.ident, &name.rename),
            UseTree::Glob(_) => drop(self.paths.insert(before.clone())),
        }
    }

    fn import(&mut self, before: &[String], name: &syn::Ident, known_as: &syn::Ident) {
        let mut path = before.to_vec();
        let mut known_as = known_as.to_string();
        if name == "self" {
            if known_as == "self" {
                known_as = before.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(name.to_string());
        }
        self.imports.insert(known_as, path.clone());
        self.paths.insert(path);
    }

    fn mention(&mut self, path: Vec<String>) {
        if path.len() > 1 && ["crate", "self", "super"].contains(&path[0].as_str()) {
            self.paths.insert(path);
        }
    }

    /// Paths in what a macro is given.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    self.mention(std::mem::replace(&mut path, vec![ident.to_string()]));
                    colons = 0;
                    continue;
                }
                _ => {}
            }
            self.mention(std::mem::take(&mut path));
            colons = 0;
        }
        self.mention(path);
    }
}

/// Whether something is there in tests alone.
fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list)
                if { let text = list.tokens.to_string(); text == "test" || text.starts_with("all (test") })
    })
}
