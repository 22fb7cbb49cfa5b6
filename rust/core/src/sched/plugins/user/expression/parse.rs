//! From words to parts: precedence as in Python.

use super::ast::{Arithmetic, Ast, Comparison, Kind};
use super::lex::{Token, lex};
use super::{Checked, wrong};
use crate::base::Text;

/// Deeper nesting than anybody writes; more would exhaust the stack.
const DEEPEST: usize = 100;

/// More words than anybody writes, for the same reason.
const MOST_WORDS: usize = 500;

/// Reads a whole text.
pub(super) fn parse(source: &str) -> Checked<Ast> {
    let tokens = lex(source)?;
    if let Some((column, _)) = tokens.get(MOST_WORDS) {
        return wrong(*column, format!("the expression has more than {MOST_WORDS} words"));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    if matches!(parser.peek(), Token::End) {
        return wrong(1, "the expression is empty");
    }
    let ast = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(ast),
        Token::Sign("=") => wrong(parser.column(), "to compare, write =="),
        _ => wrong(parser.column(), "the expression is over before this"),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].1
    }

    fn column(&self) -> usize {
        self.tokens[self.at].0
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(have) if *have == sign);
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(have) if have == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Checked<()> {
        if self.takes_sign(sign) {
            return Ok(());
        }
        let column = self.column();
        match self.peek() {
            Token::Sign("=") => wrong(column, "to compare, write =="),
            _ => wrong(column, format!("\"{sign}\" is missing")),
        }
    }

    fn expression(&mut self) -> Checked<Ast> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return wrong(self.column(), "the expression is nested too deep");
        }
        let column = self.column();
        let first = self.either()?;
        let ast = if self.takes_word("if") {
            let condition = self.either()?;
            if !self.takes_word("else") {
                return wrong(self.column(), "\"else\" is missing");
            }
            let other = self.expression()?;
            let kind = Kind::Choice(Box::new(condition), Box::new(first), Box::new(other));
            Ast { column, kind }
        } else {
            first
        };
        self.depth -= 1;
        Ok(ast)
    }

    fn either(&mut self) -> Checked<Ast> {
        let mut left = self.both()?;
        while self.takes_word("or") {
            let right = self.both()?;
            let column = left.column;
            left = Ast { column, kind: Kind::Either(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn both(&mut self) -> Checked<Ast> {
        let mut left = self.negation()?;
        while self.takes_word("and") {
            let right = self.negation()?;
            let column = left.column;
            left = Ast { column, kind: Kind::Both(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn negation(&mut self) -> Checked<Ast> {
        let column = self.column();
        let mut times = 0;
        while self.takes_word("not") {
            times += 1;
        }
        let ast = self.comparison()?;
        if times % 2 == 0 {
            return Ok(ast);
        }
        Ok(Ast { column, kind: Kind::Not(Box::new(ast)) })
    }

    fn comparison(&mut self) -> Checked<Ast> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.comparison_operator()? {
            rest.push((operator, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Ast { column: first.column, kind: Kind::Comparison(Box::new(first), rest) })
    }

    fn comparison_operator(&mut self) -> Checked<Option<Comparison>> {
        let operator = match self.peek() {
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::Unequal,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::AtMost,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::AtLeast,
            Token::Word(word) if word == "in" => Comparison::In,
            Token::Word(word) if word == "not" => {
                self.at += 1;
                if !matches!(self.peek(), Token::Word(word) if word == "in") {
                    return wrong(self.column(), "\"in\" is missing after \"not\"");
                }
                Comparison::NotIn
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(operator))
    }

    fn sum(&mut self) -> Checked<Ast> {
        let mut left = self.product()?;
        loop {
            let column = self.column();
            let operator = match self.peek() {
                Token::Sign("+") => Arithmetic::Add,
                Token::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let kind = Kind::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
            left = Ast { column, kind };
        }
    }

    fn product(&mut self) -> Checked<Ast> {
        let mut left = self.signed()?;
        loop {
            let column = self.column();
            let operator = match self.peek() {
                Token::Sign("*") => Arithmetic::Multiply,
                Token::Sign("/") => Arithmetic::Divide,
                Token::Sign("//") => Arithmetic::FloorDivide,
                Token::Sign("%") => Arithmetic::Remainder,
                Token::Sign("**") => return wrong(column, "there are no powers: multiply"),
                _ => return Ok(left),
            };
            self.at += 1;
            let kind = Kind::Arithmetic(operator, Box::new(left), Box::new(self.signed()?));
            left = Ast { column, kind };
        }
    }

    fn signed(&mut self) -> Checked<Ast> {
        let column = self.column();
        let mut negative = false;
        loop {
            if self.takes_sign("-") {
                negative = !negative;
            } else if !self.takes_sign("+") {
                break;
            }
        }
        let ast = self.postfix()?;
        if !negative {
            return Ok(ast);
        }
        Ok(Ast { column, kind: Kind::Negative(Box::new(ast)) })
    }

    fn postfix(&mut self) -> Checked<Ast> {
        let mut ast = self.atom()?;
        loop {
            let column = ast.column;
            let kind = if self.takes_sign(".") {
                let at = self.column();
                match self.next() {
                    Token::Word(name) => Kind::Attribute(Box::new(ast), name),
                    _ => return wrong(at, "a name is missing after \".\""),
                }
            } else if self.takes_sign("[") {
                let index = self.expression()?;
                self.expect("]")?;
                Kind::Index(Box::new(ast), Box::new(index))
            } else if self.takes_sign("(") {
                Kind::Call(Box::new(ast), self.list(")")?)
            } else {
                return Ok(ast);
            };
            ast = Ast { column, kind };
        }
    }

    fn atom(&mut self) -> Checked<Ast> {
        let column = self.column();
        let kind = match self.next() {
            Token::Number(value) => Kind::Number(value),
            Token::Text(text) => Kind::Text(text),
            Token::Word(word) => match word.as_str() {
                "True" | "true" => Kind::Bool(true),
                "False" | "false" => Kind::Bool(false),
                "and" | "or" | "if" | "else" | "in" | "not" => {
                    return wrong(column, format!("something is missing before \"{word}\""));
                }
                _ => Kind::Name(word),
            },
            Token::Sign("(") => {
                let first = self.expression()?;
                if !self.takes_sign(",") {
                    self.expect(")")?;
                    return Ok(first);
                }
                let mut items = vec![first];
                items.append(&mut self.list(")")?);
                Kind::List(items)
            }
            Token::Sign("[") => Kind::List(self.list("]")?),
            Token::Sign(sign) => return wrong(column, format!("\"{sign}\" is out of place")),
            Token::End => return wrong(column, "the expression is not finished"),
        };
        Ok(Ast { column, kind })
    }

    /// What stands between commas, up to the closing bracket.
    fn list(&mut self, close: &str) -> Checked<Vec<Ast>> {
        let mut items = Vec::new();
        while !self.takes_sign(close) {
            items.push(self.expression()?);
            if !self.takes_sign(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }
}

/// The dotted name a part is, if it is nothing else: `node.free.cpu`.
pub(super) fn path(ast: &Ast) -> Option<Vec<Text>> {
    match &ast.kind {
        Kind::Name(name) => Some(vec![name.clone()]),
        Kind::Attribute(owner, name) => {
            let mut names = path(owner)?;
            names.push(name.clone());
            Some(names)
        }
        _ => None,
    }
}
